/**
 * What the service and the page both have to know: kinds of work, formats, limits, default values. Every value
 * here is the service's; nothing of it is written a second time in this app.
 */

export const TASKS = ['upscale', 'inpaint'] as const;

/** Formats that the service writes. `defaultQuality` is null for a lossless format. */
export const OUTPUT_FORMATS = {
  png: {
    title: 'PNG',
    mediaType: 'image/png',
    extension: '.png',
    defaultQuality: null,
    maxSidePx: 2_147_483_647,
  },
  jpeg: { title: 'JPEG', mediaType: 'image/jpeg', extension: '.jpg', defaultQuality: 92, maxSidePx: 65_500 },
  webp: { title: 'WebP', mediaType: 'image/webp', extension: '.webp', defaultQuality: 88, maxSidePx: 16_383 },
  avif: { title: 'AVIF', mediaType: 'image/avif', extension: '.avif', defaultQuality: 65, maxSidePx: 16_384 },
  tiff: {
    title: 'TIFF',
    mediaType: 'image/tiff',
    extension: '.tif',
    defaultQuality: null,
    maxSidePx: 10_000_000,
  },
} as const;

/** Formats that the service reads. */
export const INPUT_FORMATS = ['jpeg', 'png', 'webp', 'avif', 'heic', 'tiff', 'bmp', 'gif'] as const;

/** The service's default settings. A service that is asked (`GET /api/info`) may answer other values. */
export const DEFAULT_LIMITS = {
  max_upload_bytes: 50_000_000,
  max_input_pixels: 50_000_000,
  max_input_side_px: 16_384,
  max_output_pixels: 256_000_000,
} as const;

export const QUALITY = { min: 1, max: 100 } as const;
export const SCALE = { min: 1, max: 8, default: 4 } as const;
export const DENOISE = { min: 0, max: 1 } as const;

/** How far beyond the mask is filled as well, in px. */
export const MASK_GROW_PX = { min: 0, max: 256, default: 4 } as const;
/** The outermost part of the growth, which fades into the image, in px. It never exceeds the growth. */
export const MASK_FEATHER_PX = { min: 0, max: 256, default: 2 } as const;
/** Mask values from this one on, of 255, are set. */
export const MASK_THRESHOLD = 128;

/** The model that inpaints if none is named. */
export const DEFAULT_INPAINT_MODEL = 'pixelmend-fill';

export type TaskId = (typeof TASKS)[number];
export type OutputFormat = keyof typeof OUTPUT_FORMATS;
export type InputFormat = (typeof INPUT_FORMATS)[number];
