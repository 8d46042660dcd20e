import type { InputFormat } from '../../api/constants';

/** What the header of a file says about the image, without decoding it. */
export interface ImageHeader {
  format: InputFormat;
  /** The size with the orientation applied; null if the header does not say it cheaply. */
  widthPx: number | null;
  heightPx: number | null;
  isAnimated: boolean;
  /** The file reaches to the end that its format announces. */
  isComplete: boolean;
}

export function unknownSize(format: InputFormat, isComplete = true): ImageHeader {
  return { format, widthPx: null, heightPx: null, isAnimated: false, isComplete };
}
