import type { ImageWriter } from '../../../imaging/pixels';

/** A writer that measures how long its caller waited for it to take rows. */
export class TimedWriter implements ImageWriter {
  private readonly writer: ImageWriter;
  elapsedMs = 0;

  constructor(writer: ImageWriter) {
    this.writer = writer;
  }

  async write(rows: Uint8ClampedArray<ArrayBuffer>): Promise<void> {
    const startedMs = performance.now();
    await this.writer.write(rows);
    this.elapsedMs += performance.now() - startedMs;
  }

  finish(): Promise<Blob> {
    return this.writer.finish();
  }
}
