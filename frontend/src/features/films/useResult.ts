import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { notesOf } from '../../processing/remote/download';
import type { Note } from '../../processing/processor';
import type { Film } from '../../state/films';
import { useGeneralSettings, useServices } from '../../state/services';

export interface FilmResult {
  /** null until it can be shown. */
  url: string | null;
  fileName: string;
  mediaType: string;
  notes: readonly Note[];
}

/**
 * The result of a finished film. It is played from the service, but a player cannot send an API key: then the
 * whole result is fetched first.
 */
export function useResult({ id, job, fileName }: Film): FilmResult | null {
  const { api } = useServices();
  const [{ apiKey }] = useGeneralSettings();
  const path = job?.result?.url ?? null;
  const hasKey = apiKey !== '';
  const headers = useQuery({
    queryKey: ['film-headers', id, path],
    queryFn: async () => (await api.fetch(path ?? '', { method: 'HEAD' })).headers,
    enabled: path !== null,
    staleTime: Infinity,
  });
  const fetched = useQuery({
    queryKey: ['film-result', id, path],
    queryFn: async () => (await api.fetch(path ?? '')).blob(),
    enabled: path !== null && hasKey,
    staleTime: Infinity,
    gcTime: 0,
  });
  const local = useObjectUrl(fetched.data ?? null);
  if (path === null) return null;
  const header = (name: string) => headers.data?.get(name) ?? null;
  return {
    url: hasKey ? local : api.url(path),
    fileName: namedIn(header('Content-Disposition')) ?? fileName,
    mediaType: job?.result?.media_type ?? '',
    notes: notesOf(header('X-Pixelmend-Not-Kept'), header('X-Pixelmend-Notes')),
  };
}

/** The address of a blob, as long as the component shows it. */
export function useObjectUrl(blob: Blob | null): string | null {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    if (!blob) return;
    const made = URL.createObjectURL(blob);
    setUrl(made);
    return () => {
      setUrl(null);
      URL.revokeObjectURL(made);
    };
  }, [blob]);
  return url;
}

/** The file name of a Content-Disposition. */
export function namedIn(header: string | null): string | null {
  const encoded = /filename\*=utf-8''([^;]+)/i.exec(header ?? '')?.[1];
  if (encoded !== undefined) return decodeURIComponent(encoded);
  return /filename="([^"]+)"/.exec(header ?? '')?.[1] ?? null;
}
