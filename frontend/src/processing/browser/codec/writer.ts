/** What takes a result's rows and makes a file of them. */

import type { RowWriter } from '../image/pixels';

export interface ImageWriter extends RowWriter {
  /** The complete file. Raises RangeError where rows are missing, ProcessError where the browser cannot. */
  finish(): Promise<Blob>;
}
