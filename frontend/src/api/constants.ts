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
  "max_output_pixels": 256000000,
  "max_video_bytes": 2000000000,
  "max_video_frames": 500000,
  "max_video_s": 21600.0
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

export const DETAIL = {
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

/** Containers in which the service writes films; animated images stay what they are. */
export const FILM_CONTAINERS = {
  "mp4": {
    "title": "MP4",
    "mediaType": "video/mp4"
  },
  "mkv": {
    "title": "Matroska",
    "mediaType": "video/matroska"
  },
  "webm": {
    "title": "WebM",
    "mediaType": "video/webm"
  },
  "mov": {
    "title": "QuickTime",
    "mediaType": "video/quicktime"
  }
} as const;

/** Animated images that are read and written as films. */
export const ANIMATION_FORMATS = {
  "gif": {
    "title": "GIF",
    "mediaType": "image/gif"
  },
  "apng": {
    "title": "animated PNG",
    "mediaType": "image/apng"
  },
  "webp": {
    "title": "animated WebP",
    "mediaType": "image/webp"
  },
  "avif": {
    "title": "animated AVIF",
    "mediaType": "image/avif"
  }
} as const;

/** Codecs of films, and the containers that take them. A lossless one has no quality. */
export const FILM_CODECS = {
  "h264": {
    "title": "H.264",
    "containers": [
      "mp4",
      "mkv",
      "mov"
    ],
    "isLossless": false
  },
  "hevc": {
    "title": "HEVC",
    "containers": [
      "mp4",
      "mkv",
      "mov"
    ],
    "isLossless": false
  },
  "av1": {
    "title": "AV1",
    "containers": [
      "mp4",
      "mkv",
      "mov",
      "webm"
    ],
    "isLossless": false
  },
  "vp9": {
    "title": "VP9",
    "containers": [
      "mp4",
      "mkv",
      "webm"
    ],
    "isLossless": false
  },
  "prores": {
    "title": "ProRes",
    "containers": [
      "mov",
      "mkv"
    ],
    "isLossless": false
  },
  "ffv1": {
    "title": "FFV1 (lossless)",
    "containers": [
      "mkv"
    ],
    "isLossless": true
  }
} as const;

export const FILM_QUALITY = {
  "min": 1,
  "max": 100,
  "default": 80
} as const;

export const FILM_ENCODERS = [
  "auto",
  "software",
  "hardware"
] as const;

/** What is done with interlaced films. */
export const FILM_DEINTERLACE = [
  "auto",
  "off",
  "refuse"
] as const;

/** How the names of files end that are taken for films. */
export const FILM_SUFFIXES = [
  ".mp4",
  ".m4v",
  ".mov",
  ".mkv",
  ".webm",
  ".avi",
  ".ts",
  ".m2ts",
  ".mts",
  ".mpg",
  ".mpeg",
  ".flv",
  ".wmv",
  ".3gp",
  ".ogv",
  ".mxf",
  ".nut"
] as const;

export type TaskId = (typeof TASKS)[number];
export type OutputFormat = keyof typeof OUTPUT_FORMATS;
export type InputFormat = (typeof INPUT_FORMATS)[number];
export type FilmContainer = keyof typeof FILM_CONTAINERS;
export type AnimationFormat = keyof typeof ANIMATION_FORMATS;
export type FilmCodec = keyof typeof FILM_CODECS;
