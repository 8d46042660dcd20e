/**
 * Written by `npm run api` from the service's code; not by hand. What the service and the page both have to
 * know: kinds of work, formats, limits, default values.
 */

export const TASKS = [
  "upscale",
  "inpaint",
  "upscale-video"
] as const;

/** Formats that the service writes. `defaultQuality` is null for a lossless format. */
export const OUTPUT_FORMATS = {
  "png": {
    "title": "PNG",
    "mediaType": "image/png",
    "extension": ".png",
    "defaultQuality": null,
    "maxSidePx": 2147483647
  },
  "jpeg": {
    "title": "JPEG",
    "mediaType": "image/jpeg",
    "extension": ".jpg",
    "defaultQuality": 92,
    "maxSidePx": 65500
  },
  "webp": {
    "title": "WebP",
    "mediaType": "image/webp",
    "extension": ".webp",
    "defaultQuality": 88,
    "maxSidePx": 16383
  },
  "avif": {
    "title": "AVIF",
    "mediaType": "image/avif",
    "extension": ".avif",
    "defaultQuality": 65,
    "maxSidePx": 16384
  },
  "tiff": {
    "title": "TIFF",
    "mediaType": "image/tiff",
    "extension": ".tif",
    "defaultQuality": null,
    "maxSidePx": 10000000
  }
} as const;

/** Formats that the service reads. */
export const INPUT_FORMATS = [
  "png",
  "jpeg",
  "webp",
  "avif",
  "tiff",
  "heic",
  "bmp",
  "gif"
] as const;

/** The service's default settings. A service may answer other values (`GET /api/info`). */
export const DEFAULT_LIMITS = {
  "max_upload_bytes": 50000000,
  "max_input_pixels": 50000000,
  "max_input_side_px": 16384,
  "max_output_pixels": 256000000
} as const;

export const QUALITY = {
  "min": 1,
  "max": 100
} as const;

export const SCALE = {
  "min": 1.0,
  "max": 8.0,
  "default": 4
} as const;

export const DENOISE = {
  "min": 0,
  "max": 1
} as const;

/** How far beyond the mask is filled as well, in px. */
export const MASK_GROW_PX = {
  "min": 0,
  "max": 256,
  "default": 4
} as const;

/** The outermost part of the growth, which fades into the image, in px; at most the growth. */
export const MASK_FEATHER_PX = {
  "min": 0,
  "max": 256,
  "default": 2
} as const;

/** Mask values from this one on, of 255, are set. */
export const MASK_THRESHOLD = 128;

/** The model that inpaints if none is named. */
export const DEFAULT_INPAINT_MODEL = "pixelmend-fill";

export type TaskId = (typeof TASKS)[number];
export type OutputFormat = keyof typeof OUTPUT_FORMATS;
export type InputFormat = (typeof INPUT_FORMATS)[number];
