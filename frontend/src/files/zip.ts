/** A ZIP of many results. Images do not compress further, so they are stored as they are, chunk by chunk. */

import { Zip, ZipPassThrough } from 'fflate';

export interface NamedBlob {
  name: string;
  blob: Blob;
}

export function zipFiles(files: readonly NamedBlob[]): Promise<Blob> {
  const parts: Blob[] = [];
  return new Promise<Blob>((resolve, reject) => {
    const zip = new Zip((error, chunk, isLast) => {
      if (error) return reject(error);
      parts.push(new Blob([chunk]));
      if (isLast) resolve(new Blob(parts, { type: 'application/zip' }));
    });
    addAll(zip, files).catch(reject);
  });
}

async function addAll(zip: Zip, files: readonly NamedBlob[]): Promise<void> {
  const names = uniqueNames(files.map((file) => file.name));
  for (const [n, file] of files.entries()) {
    const entry = new ZipPassThrough(names[n] ?? file.name);
    zip.add(entry);
    const reader = file.blob.stream().getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      entry.push(value);
    }
    entry.push(new Uint8Array(0), true);
  }
  zip.end();
}

/** Two images may have the same name, and some systems ignore the case of letters. */
export function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const dot = name.lastIndexOf('.');
    const [stem, suffix] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
    let free = name;
    for (let n = 2; taken.has(free.toLowerCase()); n += 1) free = `${stem} (${n})${suffix}`;
    taken.add(free.toLowerCase());
    return free;
  });
}
