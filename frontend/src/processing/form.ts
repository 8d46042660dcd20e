/** The text fields of `POST /api/jobs`, and of an estimate. */

import type { Enlargement, OutputFormat, ProcessOptions, TargetSize } from './processor';

export type Fields = Record<string, string | number | boolean>;

const LOSSY: readonly OutputFormat[] = ['jpeg', 'webp', 'avif'];

export function isLossy(format: OutputFormat): boolean {
  return LOSSY.includes(format);
}

export function jobFields(options: ProcessOptions): Fields {
  const output: Fields = { task: options.task, format: options.format };
  if (options.quality !== null && isLossy(options.format)) output.quality = options.quality;
  if (options.firstFrame) output.first_frame = true;
  if (options.model !== null) output.model = options.model;
  if (options.task === 'upscale') {
    return { ...output, ...targetFields(options.target), ...denoiseField(options) };
  }
  output.mask_grow = options.maskGrowPx;
  output.mask_feather = options.maskFeatherPx;
  const next = options.thenUpscale;
  if (next === null) return output;
  if (next.model !== null) output.upscale_model = next.model;
  return { ...output, then: 'upscale', ...targetFields(next.target), ...denoiseField(next) };
}

export function targetFields(target: TargetSize): Fields {
  if (target.kind === 'scale') return { scale: target.factor };
  const fields: Fields = {};
  if (target.widthPx !== null) fields.width = target.widthPx;
  if (target.heightPx !== null) fields.height = target.heightPx;
  return fields;
}

function denoiseField(enlargement: Enlargement): Fields {
  return enlargement.denoise === null ? {} : { denoise: enlargement.denoise };
}

/** What a result will measure; sides are rounded as the service does. */
export function targetSize(
  size: { widthPx: number; heightPx: number },
  target: TargetSize,
): { widthPx: number; heightPx: number } {
  const { widthPx, heightPx } = size;
  if (target.kind === 'scale') {
    return { widthPx: side(widthPx * target.factor), heightPx: side(heightPx * target.factor) };
  }
  if (target.widthPx !== null && target.heightPx !== null) {
    return { widthPx: target.widthPx, heightPx: target.heightPx };
  }
  if (target.widthPx !== null) {
    return { widthPx: target.widthPx, heightPx: side((heightPx * target.widthPx) / widthPx) };
  }
  if (target.heightPx !== null) {
    return { widthPx: side((widthPx * target.heightPx) / heightPx), heightPx: target.heightPx };
  }
  return size;
}

/** Halves to the even side, as Python rounds. */
function side(px: number): number {
  const floor = Math.floor(px);
  const isHalf = px - floor === 0.5;
  return Math.max(1, isHalf ? floor + (floor % 2) : Math.round(px));
}
