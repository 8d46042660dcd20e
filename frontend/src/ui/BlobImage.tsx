import { useEffect, useState } from 'react';

/** An <img> of a blob. The blob's address is released with the component. */
export function BlobImage({ blob, ...rest }: { blob: Blob } & React.ImgHTMLAttributes<HTMLImageElement>) {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    const made = URL.createObjectURL(blob);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [blob]);
  return <img {...rest} src={url ?? undefined} alt={rest.alt ?? ''} />;
}
