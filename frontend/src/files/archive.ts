/** A ZIP of many results. Images do not compress further, so they are stored as they are, chunk by chunk. */

import { Zip, ZipPassThrough } from 'fflate';

export async function zipFiles(files: readonly { name: string; blob: Blob }[]): Promise<Blob> {
  const parts: Blob[] = [];
  const ended = new Promise<Blob>((resolve, reject) => {
    const zip = new Zip((error, chunk, isLast) => {
      if (error) return reject(error);
      parts.push(new Blob([chunk]));
      if (isLast) resolve(new Blob(parts, { type: 'application/zip' }));
    });
    void addAll(zip, files).catch(reject);
  });
  return ended;
}

async function addAll(zip: Zip, files: readonly { name: string; blob: Blob }[]): Promise<void> {
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

/** Two images may have the same name, and some systems see no difference between upper and lower case. */
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
