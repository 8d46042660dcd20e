// Written by `npm run api` from the service's OpenAPI document; not by hand.

export interface paths {
    "/api/estimate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What a job would need, or why it would be refused, from dimensions alone */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /**
                         * Denoise
                         * @description Strength, for models that have it (1: remove all noise).
                         */
                        denoise?: number | null;
                        /**
                         * Detail
                         * @description For models that have it: 0 shows what is there, 1 draws crisp detail and guesses.
                         */
                        detail?: number | null;
                        /**
                         * First Frame
                         * @description Take the first frame of an animation or multi-page file.
                         * @default false
                         */
                        first_frame?: boolean;
                        /**
                         * Fit
                         * @description With width and height: cut off what does not fit, in place of stretching the image.
                         */
                        fit?: "cover" | null;
                        /**
                         * Format
                         * @description Default: PNG, or what the Accept header asks for.
                         */
                        format?: ("png" | "jpeg" | "webp" | "avif" | "tiff") | null;
                        /**
                         * Height
                         * @description Exact height in px; the width follows if not given.
                         */
                        height?: number | null;
                        /**
                         * Image Alpha
                         * @description It has transparency.
                         * @default false
                         */
                        image_alpha?: boolean;
                        /**
                         * Image Bits
                         * @description Per sample.
                         * @default 8
                         * @enum {integer}
                         */
                        image_bits?: 8 | 16;
                        /**
                         * Image Frames
                         * @description The frames of a film; all else describes one frame.
                         * @default 1
                         */
                        image_frames?: number;
                        /**
                         * Image Grey
                         * @description It has no colour.
                         * @default false
                         */
                        image_grey?: boolean;
                        /** Image Height */
                        image_height: number;
                        /**
                         * Image Width
                         * @description The width of the image as it is seen, in px.
                         */
                        image_width: number;
                        /**
                         * Model
                         * @description A model id of `GET /api/models`; the default depends on whether scale is above 2.
                         */
                        model?: string | null;
                        /**
                         * Quality
                         * @description For JPEG, WebP and AVIF.
                         */
                        quality?: number | null;
                        /**
                         * Recipe
                         * @description A named set of options of the service's configuration; other fields count before it.
                         */
                        recipe?: string | null;
                        /**
                         * Scale
                         * @description Factor; default: the model's own (4).
                         */
                        scale?: number | null;
                        /**
                         * Tile
                         * @description Largest tile edge in input px, below the service's own.
                         */
                        tile?: number | null;
                        /**
                         * Width
                         * @description Exact width in px; the height follows if not given.
                         */
                        width?: number | null;
                    };
                    "application/x-www-form-urlencoded": {
                        /**
                         * Denoise
                         * @description Strength, for models that have it (1: remove all noise).
                         */
                        denoise?: number | null;
                        /**
                         * Detail
                         * @description For models that have it: 0 shows what is there, 1 draws crisp detail and guesses.
                         */
                        detail?: number | null;
                        /**
                         * First Frame
                         * @description Take the first frame of an animation or multi-page file.
                         * @default false
                         */
                        first_frame?: boolean;
                        /**
                         * Fit
                         * @description With width and height: cut off what does not fit, in place of stretching the image.
                         */
                        fit?: "cover" | null;
                        /**
                         * Format
                         * @description Default: PNG, or what the Accept header asks for.
                         */
                        format?: ("png" | "jpeg" | "webp" | "avif" | "tiff") | null;
                        /**
                         * Height
                         * @description Exact height in px; the width follows if not given.
                         */
                        height?: number | null;
                        /**
                         * Image Alpha
                         * @description It has transparency.
                         * @default false
                         */
                        image_alpha?: boolean;
                        /**
                         * Image Bits
                         * @description Per sample.
                         * @default 8
                         * @enum {integer}
                         */
                        image_bits?: 8 | 16;
                        /**
                         * Image Frames
                         * @description The frames of a film; all else describes one frame.
                         * @default 1
                         */
                        image_frames?: number;
                        /**
                         * Image Grey
                         * @description It has no colour.
                         * @default false
                         */
                        image_grey?: boolean;
                        /** Image Height */
                        image_height: number;
                        /**
                         * Image Width
                         * @description The width of the image as it is seen, in px.
                         */
                        image_width: number;
                        /**
                         * Model
                         * @description A model id of `GET /api/models`; the default depends on whether scale is above 2.
                         */
                        model?: string | null;
                        /**
                         * Quality
                         * @description For JPEG, WebP and AVIF.
                         */
                        quality?: number | null;
                        /**
                         * Recipe
                         * @description A named set of options of the service's configuration; other fields count before it.
                         */
                        recipe?: string | null;
                        /**
                         * Scale
                         * @description Factor; default: the model's own (4).
                         */
                        scale?: number | null;
                        /**
                         * Tile
                         * @description Largest tile edge in input px, below the service's own.
                         */
                        tile?: number | null;
                        /**
                         * Width
                         * @description Exact width in px; the height follows if not given.
                         */
                        width?: number | null;
                    };
                    "multipart/form-data": {
                        /**
                         * Denoise
                         * @description Strength, for models that have it (1: remove all noise).
                         */
                        denoise?: number | null;
                        /**
                         * Detail
                         * @description For models that have it: 0 shows what is there, 1 draws crisp detail and guesses.
                         */
                        detail?: number | null;
                        /**
                         * First Frame
                         * @description Take the first frame of an animation or multi-page file.
                         * @default false
                         */
                        first_frame?: boolean;
                        /**
                         * Fit
                         * @description With width and height: cut off what does not fit, in place of stretching the image.
                         */
                        fit?: "cover" | null;
                        /**
                         * Format
                         * @description Default: PNG, or what the Accept header asks for.
                         */
                        format?: ("png" | "jpeg" | "webp" | "avif" | "tiff") | null;
                        /**
                         * Height
                         * @description Exact height in px; the width follows if not given.
                         */
                        height?: number | null;
                        /**
                         * Image Alpha
                         * @description It has transparency.
                         * @default false
                         */
                        image_alpha?: boolean;
                        /**
                         * Image Bits
                         * @description Per sample.
                         * @default 8
                         * @enum {integer}
                         */
                        image_bits?: 8 | 16;
                        /**
                         * Image Frames
                         * @description The frames of a film; all else describes one frame.
                         * @default 1
                         */
                        image_frames?: number;
                        /**
                         * Image Grey
                         * @description It has no colour.
                         * @default false
                         */
                        image_grey?: boolean;
                        /** Image Height */
                        image_height: number;
                        /**
                         * Image Width
                         * @description The width of the image as it is seen, in px.
                         */
                        image_width: number;
                        /**
                         * Model
                         * @description A model id of `GET /api/models`; the default depends on whether scale is above 2.
                         */
                        model?: string | null;
                        /**
                         * Quality
                         * @description For JPEG, WebP and AVIF.
                         */
                        quality?: number | null;
                        /**
                         * Recipe
                         * @description A named set of options of the service's configuration; other fields count before it.
                         */
                        recipe?: string | null;
                        /**
                         * Scale
                         * @description Factor; default: the model's own (4).
                         */
                        scale?: number | null;
                        /**
                         * Tile
                         * @description Largest tile edge in input px, below the service's own.
                         */
                        tile?: number | null;
                        /**
                         * Width
                         * @description Exact width in px; the height follows if not given.
                         */
                        width?: number | null;
                    };
                };
            };
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["EstimateView"];
                    };
                };
                /** @description Bad Request */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Request Entity Too Large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Unprocessable Entity */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How the service is */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Health"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Health"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/info": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Version, device, formats and limits */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Info"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/inpaint": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Remove what is under a mask and answer the image */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "multipart/form-data": {
                        /**
                         * Denoise
                         * @description Strength, for models that have it (1: remove all noise).
                         */
                        denoise?: number | null;
                        /**
                         * Detail
                         * @description For models that have it: 0 shows what is there, 1 draws crisp detail and guesses.
                         */
                        detail?: number | null;
                        /**
                         * Format: binary
                         * @description The image, or the film.
                         */
                        file?: string;
                        /**
                         * First Frame
                         * @description Take the first frame of an animation or multi-page file.
                         * @default false
                         */
                        first_frame?: boolean;
                        /**
                         * Fit
                         * @description With width and height: cut off what does not fit, in place of stretching the image.
                         */
                        fit?: "cover" | null;
                        /**
                         * Format
                         * @description Default: PNG, or what the Accept header asks for.
                         */
                        format?: ("png" | "jpeg" | "webp" | "avif" | "tiff") | null;
                        /**
                         * Height
                         * @description Exact height in px; the width follows if not given.
                         */
                        height?: number | null;
                        /** @description Where the file is, instead of `file`: an http or https URL, or s3://bucket/key, of one of the hosts that the service fetches from. */
                        image_url?: string;
                        /**
                         * Format: binary
                         * @description What to remove: white, or transparent if the mask has transparency (see mask_polarity). Its shape is the image's.
                         */
                        mask: string;
                        /**
                         * Mask Feather
                         * @description The outermost part of that, fading into the image, px; default: 2.
                         */
                        mask_feather?: number | null;
                        /**
                         * Mask Grow
                         * @description How far beyond the mask is filled as well, px.
                         * @default 4
                         */
                        mask_grow?: number;
                        /**
                         * MaskPolarity
                         * @description Which part of a mask is removed.
                         * @enum {string}
                         */
                        mask_polarity?: "auto" | "white" | "transparent" | "opaque";
                        /**
                         * Model
                         * @description That fills; a model id of `GET /api/models` for inpainting.
                         */
                        model?: string | null;
                        /**
                         * Quality
                         * @description For JPEG, WebP and AVIF.
                         */
                        quality?: number | null;
                        /**
                         * Recipe
                         * @description A named set of options of the service's configuration; other fields count before it.
                         */
                        recipe?: string | null;
                        /**
                         * Scale
                         * @description Factor; default: the model's own (4).
                         */
                        scale?: number | null;
                        /**
                         * Then
                         * @description Upscale the result as well, in the same job; scale, width, height, tile, denoise, detail and upscale_model belong to it.
                         */
                        then?: "upscale" | null;
                        /**
                         * Tile
                         * @description Largest tile edge in input px, below the service's own.
                         */
                        tile?: number | null;
                        /**
                         * Upscale Model
                         * @description With then=upscale, as in `POST /api/upscale`.
                         */
                        upscale_model?: string | null;
                        /**
                         * Width
                         * @description Exact width in px; the height follows if not given.
                         */
                        width?: number | null;
                    };
                };
            };
            responses: {
                /** @description The image without it. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "image/avif": unknown;
                        "image/jpeg": unknown;
                        "image/png": unknown;
                        "image/tiff": unknown;
                        "image/webp": unknown;
                    };
                };
                /** @description Bad Request */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Not Found */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Not Acceptable */
                406: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Conflict */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Request Entity Too Large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Unsupported Media Type */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Unprocessable Entity */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Too Many Requests */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Internal Server Error */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Gateway Timeout */
                504: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/inpaint-batch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Remove what is under masks from many images and answer a ZIP of them */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "multipart/form-data": {
                        /**
                         * Denoise
                         * @description Strength, for models that have it (1: remove all noise).
                         */
                        denoise?: number | null;
                        /**
                         * Detail
                         * @description For models that have it: 0 shows what is there, 1 draws crisp detail and guesses.
                         */
                        detail?: number | null;
                        /** @description The images of a batch, the field repeated; or one ZIP of them. */
                        files: string[];
                        /**
                         * First Frame
                         * @description Take the first frame of an animation or multi-page file.
                         * @default false
                         */
                        first_frame?: boolean;
                        /**
                         * Fit
                         * @description With width and height: cut off what does not fit, in place of stretching the image.
                         */
                        fit?: "cover" | null;
                        /**
                         * Format
                         * @description Default: PNG, or what the Accept header asks for.
                         */
                        format?: ("png" | "jpeg" | "webp" | "avif" | "tiff") | null;
                        /**
                         * Height
                         * @description Exact height in px; the width follows if not given.
                         */
                        height?: number | null;
                        /**
                         * Mask Feather
                         * @description The outermost part of that, fading into the image, px; default: 2.
                         */
                        mask_feather?: number | null;
                        /**
                         * Mask Grow
                         * @description How far beyond the mask is filled as well, px.
                         * @default 4
                         */
                        mask_grow?: number;
                        /**
                         * MaskPolarity
                         * @description Which part of a mask is removed.
                         * @enum {string}
                         */
                        mask_polarity?: "auto" | "white" | "transparent" | "opaque";
                        /** @description Their masks, by the names of the images; one ZIP of them; or one mask for all. */
                        masks: string[];
                        /**
                         * Model
                         * @description That fills; a model id of `GET /api/models` for inpainting.
                         */
                        model?: string | null;
                        /**
                         * Quality
                         * @description For JPEG, WebP and AVIF.
                         */
                        quality?: number | null;
                        /**
                         * Recipe
                         * @description A named set of options of the service's configuration; other fields count before it.
                         */
                        recipe?: string | null;
                        /**
                         * Scale
                         * @description Factor; default: the model's own (4).
                         */
                        scale?: number | null;
                        /**
                         * Then
                         * @description Upscale the result as well, in the same job; scale, width, height, tile, denoise, detail and upscale_model belong to it.
                         */
                        then?: "upscale" | null;
                        /**
                         * Tile
                         * @description Largest tile edge in input px, below the service's own.
                         */
                        tile?: number | null;
                        /**
                         * Upscale Model
                         * @description With then=upscale, as in `POST /api/upscale`.
                         */
                        upscale_model?: string | null;
                        /**
                         * Width
                         * @description Exact width in px; the height follows if not given.
                         */
                        width?: number | null;
                    };
                };
            };
            responses: {
                /** @description The results and manifest.json, which names the problem of each image that has no result. It is sent while it grows. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/zip": unknown;
                    };
                };
                /** @description Bad Request */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Not Found */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Conflict */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Request Entity Too Large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Unprocessable Entity */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Too Many Requests */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Internal Server Error */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/instances": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Memory and open models of this service and of those that PIXELMEND_PEERS names
         * @description Each is asked for at most a few seconds. To manage another one, ask it at its own address.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["InstanceList"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The caller's jobs, newest first */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JobList"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        /** Submit work and come back for the result */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "multipart/form-data": {
                        /**
                         * Calm
                         * @description Less flicker of what stands still, at some cost of time.
                         * @default false
                         */
                        calm?: boolean;
                        /**
                         * Codec
                         * @description One of h264, hevc, av1, vp9, prores, ffv1. Default: the film's own, else h264.
                         */
                        codec?: string | null;
                        /**
                         * Deinterlace
                         * @description What is done with interlaced films; `auto` deinterlaces them.
                         * @default auto
                         * @enum {string}
                         */
                        deinterlace?: "auto" | "off" | "refuse";
                        /**
                         * Denoise
                         * @description Strength, for models that have it (1: remove all noise).
                         */
                        denoise?: number | null;
                        /**
                         * Detail
                         * @description For models that have it: 0 shows what is there, 1 draws crisp detail and guesses.
                         */
                        detail?: number | null;
                        /**
                         * Encoder
                         * @description `auto` takes a hardware encoder if one works.
                         * @default auto
                         * @enum {string}
                         */
                        encoder?: "auto" | "software" | "hardware";
                        /**
                         * Format: binary
                         * @description The image, or the film.
                         */
                        file?: string;
                        /** @description The images of a batch, the field repeated; or one ZIP of them. */
                        files?: string[];
                        /**
                         * First Frame
                         * @description Take the first frame of an animation or multi-page file.
                         * @default false
                         */
                        first_frame?: boolean;
                        /**
                         * Fit
                         * @description With width and height: cut off what does not fit, in place of stretching the image.
                         */
                        fit?: "cover" | null;
                        /**
                         * Format
                         * @description Default: PNG, or what the Accept header asks for.
                         */
                        format?: ("png" | "jpeg" | "webp" | "avif" | "tiff" | "mp4" | "mkv" | "webm" | "mov" | "gif" | "apng") | null;
                        /**
                         * Height
                         * @description Exact height in px; the width follows if not given.
                         */
                        height?: number | null;
                        /** @description Where the file is, instead of `file`: an http or https URL, or s3://bucket/key, of one of the hosts that the service fetches from. */
                        image_url?: string;
                        /**
                         * Format: binary
                         * @description What to remove: white, or transparent if the mask has transparency (see mask_polarity). Its shape is the image's.
                         */
                        mask?: string;
                        /**
                         * Mask Feather
                         * @description The outermost part of that, fading into the image, px; default: 2.
                         */
                        mask_feather?: number | null;
                        /**
                         * Mask Grow
                         * @description How far beyond the mask is filled as well, px.
                         * @default 4
                         */
                        mask_grow?: number;
                        /**
                         * MaskPolarity
                         * @description Which part of a mask is removed.
                         * @enum {string}
                         */
                        mask_polarity?: "auto" | "white" | "transparent" | "opaque";
                        /** @description Their masks, by the names of the images; one ZIP of them; or one mask for all. */
                        masks?: string[];
                        /**
                         * Model
                         * @description A model id of `GET /api/models`; the default depends on whether scale is above 2.
                         */
                        model?: string | null;
                        /**
                         * Quality
                         * @description For JPEG, WebP and AVIF.
                         */
                        quality?: number | null;
                        /**
                         * Recipe
                         * @description A named set of options of the service's configuration; other fields count before it.
                         */
                        recipe?: string | null;
                        /** @description Gets the result's file by PUT when the job is done: an http or https URL, such as a presigned one, or s3://bucket/key, of one of the hosts that the service sends results to. */
                        result_url?: string;
                        /**
                         * Scale
                         * @description Factor; default: the model's own (4).
                         */
                        scale?: number | null;
                        /**
                         * Seconds
                         * @description How much of the film; default: all.
                         */
                        seconds?: number | null;
                        /**
                         * Start
                         * @description Where to begin, in seconds from the start.
                         * @default 0
                         */
                        start?: number;
                        /**
                         * @description What to do.
                         * @enum {string}
                         */
                        task: "upscale" | "inpaint" | "upscale-video" | "upscale-batch" | "inpaint-batch";
                        /**
                         * Then
                         * @description Upscale the result as well, in the same job; scale, width, height, tile, denoise, detail and upscale_model belong to it.
                         */
                        then?: "upscale" | null;
                        /**
                         * Tile
                         * @description Largest tile edge in input px, below the service's own.
                         */
                        tile?: number | null;
                        /**
                         * Upscale Model
                         * @description With then=upscale, as in `POST /api/upscale`.
                         */
                        upscale_model?: string | null;
                        /** @description Gets the job as JSON by POST when it has ended, signed in X-Pixelmend-Signature. */
                        webhook_url?: string;
                        /**
                         * Width
                         * @description Exact width in px; the height follows if not given.
                         */
                        width?: number | null;
                    };
                };
            };
            responses: {
                /** @description Successful Response */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JobView"];
                    };
                };
                /** @description Bad Request */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Not Found */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Request Entity Too Large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Unsupported Media Type */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Unprocessable Entity */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Too Many Requests */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Internal Server Error */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{job_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How a job is */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    job_id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JobView"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Not Found */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Validation Error */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["HTTPValidationError"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        /** Cancel a job, or give up its result */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    job_id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JobView"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Not Found */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Validation Error */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["HTTPValidationError"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{job_id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Server-sent events: `state`, `progress`, `item`, `drain` */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    job_id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Data is the job, or the item of a batch, as JSON. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": unknown;
                    };
                };
                /** @description All was sent; do not connect again. */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Not Found */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Unprocessable Entity */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{job_id}/playlist.m3u8": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The finished segments of a film that is being upscaled, as an HLS playlist that grows */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    job_id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.apple.mpegurl": unknown;
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Not Found */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Conflict */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Validation Error */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["HTTPValidationError"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{job_id}/result": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A finished job's file; ranges and ETag are understood */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    job_id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The whole file; of a batch, a ZIP. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/zip": unknown;
                        "image/apng": unknown;
                        "image/avif": unknown;
                        "image/gif": unknown;
                        "image/jpeg": unknown;
                        "image/png": unknown;
                        "image/tiff": unknown;
                        "image/webp": unknown;
                        "video/matroska": unknown;
                        "video/mp4": unknown;
                        "video/quicktime": unknown;
                        "video/webm": unknown;
                    };
                };
                /** @description The range that was asked for. */
                206: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description The client has it already. */
                304: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Not Found */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Conflict */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Gone */
                410: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Precondition Failed */
                412: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Requested Range Not Satisfiable */
                416: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Validation Error */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["HTTPValidationError"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{job_id}/segments/{number}.mp4": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One finished segment */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    job_id: string;
                    number: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "video/mp4": unknown;
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Not Found */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Conflict */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Validation Error */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["HTTPValidationError"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/management": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Memory settings that can be changed while the service runs */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ManagementView"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Change some of them, all or none; they count until the service is started again */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        auto_cleanup_enabled?: boolean;
                        cleanup_threshold_percent?: number;
                        idle_timeout_minutes?: number;
                        max_memory_usage_percent?: number;
                        memory_monitoring_enabled?: boolean;
                        memory_monitoring_interval?: number;
                    };
                };
            };
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ManagementView"];
                    };
                };
                /** @description Bad Request */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Request Entity Too Large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Unprocessable Entity */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        trace?: never;
    };
    "/api/memory": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Device and host memory: now, over time, and alerts */
        get: {
            parameters: {
                query?: {
                    /** @description The newest so many of the history, at most. */
                    points?: number;
                    /** @description The history since then; of more samples than `points`, so many evenly spaced. */
                    minutes?: number | null;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["MemoryView"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Validation Error */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["HTTPValidationError"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/memory/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Server-sent events: `sample` with what is now, `alert` */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Data is the device's index, and its sample or alert, as JSON. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": unknown;
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/memory/free": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Unload what no job, pin or profile keeps, and clear the devices' caches */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["FreedView"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Unprocessable Entity */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Gateway Timeout */
                504: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The models there are */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ModelList"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/models/unload": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Unload all models
         * @description A model that jobs use gets no new ones, and is unloaded when they have finished; this waits for
         *     that. No job is broken, with `force` either.
         */
        post: {
            parameters: {
                query?: {
                    /** @description Also what pins and profiles keep: they are taken away. */
                    force?: boolean;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["FreedView"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Unprocessable Entity */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Gateway Timeout */
                504: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/models/{model_id}/download": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begin to download a model, or join its download */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    model_id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description It is here already. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ModelInfo"];
                    };
                };
                /** @description Successful Response */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ModelInfo"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Not Found */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Unprocessable Entity */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        /** Stop a model's download, or forget why it failed; what has arrived is kept for the next */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    model_id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ModelInfo"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Not Found */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Unprocessable Entity */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/models/{model_id}/load": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Open a model now */
        post: {
            parameters: {
                query?: {
                    /** @description Like cuda:1, or its index; by itself where it is open or where most is free. */
                    device?: string | null;
                };
                header?: never;
                path: {
                    model_id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ModelInfo"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Not Found */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Conflict */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Unprocessable Entity */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Gateway Timeout */
                504: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/models/{model_id}/pin": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Open a model and never let it go */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    model_id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ModelInfo"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Not Found */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Conflict */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Unprocessable Entity */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Gateway Timeout */
                504: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/models/{model_id}/unload": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Unload a model, once the jobs that use it have finished
         * @description Jobs that use it are never broken, with `force` either: this waits for them.
         */
        post: {
            parameters: {
                query?: {
                    /** @description Take away its pin, and release the profiles that hold it. */
                    force?: boolean;
                };
                header?: never;
                path: {
                    model_id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ModelInfo"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Not Found */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Conflict */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Unprocessable Entity */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Gateway Timeout */
                504: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/models/{model_id}/unpin": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let a pinned model go as others are */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    model_id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ModelInfo"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Not Found */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Conflict */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Unprocessable Entity */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Gateway Timeout */
                504: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/profiles": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Named sets of models */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ProfileList"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/profiles/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Make a profile, or change one that is not active
         * @description It is kept in the data directory. Those of the configuration are read-only. `placements` has, by
         *     the ids of models, a `device` and a `priority` for some of them.
         */
        put: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /**
                         * Auto Cleanup
                         * @description Its models may be unloaded if memory is short.
                         * @default false
                         */
                        auto_cleanup?: boolean;
                        /** Memory Limit Bytes */
                        memory_limit_bytes?: number | null;
                        /**
                         * Memory Limit Percent
                         * @description Share of the device's memory.
                         */
                        memory_limit_percent?: number | null;
                        /** Models */
                        models: string[];
                        /**
                         * Placements
                         * @description A device and a priority for some of its models, by their ids.
                         * @default {}
                         */
                        placements?: {
                            [key: string]: components["schemas"]["Placement"];
                        };
                        /**
                         * Preload
                         * @description As soon as a worker is ready.
                         * @default false
                         */
                        preload?: boolean;
                        /**
                         * Priority
                         * @description If two profiles may be cleaned up, the one with the lower priority goes first.
                         * @default 0
                         */
                        priority?: number;
                    };
                };
            };
            responses: {
                /** @description It was changed. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ProfileDescription"];
                    };
                };
                /** @description Successful Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ProfileDescription"];
                    };
                };
                /** @description Bad Request */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Not Found */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Conflict */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Request Entity Too Large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Unprocessable Entity */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Gateway Timeout */
                504: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        post?: never;
        /** Release a profile that was made over HTTP, and remove it */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Not Found */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Conflict */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Unprocessable Entity */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Gateway Timeout */
                504: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/profiles/{name}/preload": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Open a profile's models and hold them */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ProfileDescription"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Not Found */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Conflict */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Unprocessable Entity */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Gateway Timeout */
                504: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/profiles/{name}/release": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Release a profile's models */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ProfileDescription"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Not Found */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Conflict */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Unprocessable Entity */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Gateway Timeout */
                504: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/upscale": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Upscale an image and answer it */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "multipart/form-data": {
                        /**
                         * Denoise
                         * @description Strength, for models that have it (1: remove all noise).
                         */
                        denoise?: number | null;
                        /**
                         * Detail
                         * @description For models that have it: 0 shows what is there, 1 draws crisp detail and guesses.
                         */
                        detail?: number | null;
                        /**
                         * Format: binary
                         * @description The image, or the film.
                         */
                        file?: string;
                        /**
                         * First Frame
                         * @description Take the first frame of an animation or multi-page file.
                         * @default false
                         */
                        first_frame?: boolean;
                        /**
                         * Fit
                         * @description With width and height: cut off what does not fit, in place of stretching the image.
                         */
                        fit?: "cover" | null;
                        /**
                         * Format
                         * @description Default: PNG, or what the Accept header asks for.
                         */
                        format?: ("png" | "jpeg" | "webp" | "avif" | "tiff") | null;
                        /**
                         * Height
                         * @description Exact height in px; the width follows if not given.
                         */
                        height?: number | null;
                        /** @description Where the file is, instead of `file`: an http or https URL, or s3://bucket/key, of one of the hosts that the service fetches from. */
                        image_url?: string;
                        /**
                         * Model
                         * @description A model id of `GET /api/models`; the default depends on whether scale is above 2.
                         */
                        model?: string | null;
                        /**
                         * Quality
                         * @description For JPEG, WebP and AVIF.
                         */
                        quality?: number | null;
                        /**
                         * Recipe
                         * @description A named set of options of the service's configuration; other fields count before it.
                         */
                        recipe?: string | null;
                        /**
                         * Scale
                         * @description Factor; default: the model's own (4).
                         */
                        scale?: number | null;
                        /**
                         * Tile
                         * @description Largest tile edge in input px, below the service's own.
                         */
                        tile?: number | null;
                        /**
                         * Width
                         * @description Exact width in px; the height follows if not given.
                         */
                        width?: number | null;
                    };
                };
            };
            responses: {
                /** @description The upscaled image. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "image/avif": unknown;
                        "image/jpeg": unknown;
                        "image/png": unknown;
                        "image/tiff": unknown;
                        "image/webp": unknown;
                    };
                };
                /** @description Bad Request */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Not Found */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Not Acceptable */
                406: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Conflict */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Request Entity Too Large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Unsupported Media Type */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Unprocessable Entity */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Too Many Requests */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Internal Server Error */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Gateway Timeout */
                504: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/upscale-batch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Upscale many images and answer a ZIP of them */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "multipart/form-data": {
                        /**
                         * Denoise
                         * @description Strength, for models that have it (1: remove all noise).
                         */
                        denoise?: number | null;
                        /**
                         * Detail
                         * @description For models that have it: 0 shows what is there, 1 draws crisp detail and guesses.
                         */
                        detail?: number | null;
                        /** @description The images of a batch, the field repeated; or one ZIP of them. */
                        files: string[];
                        /**
                         * First Frame
                         * @description Take the first frame of an animation or multi-page file.
                         * @default false
                         */
                        first_frame?: boolean;
                        /**
                         * Fit
                         * @description With width and height: cut off what does not fit, in place of stretching the image.
                         */
                        fit?: "cover" | null;
                        /**
                         * Format
                         * @description Default: PNG, or what the Accept header asks for.
                         */
                        format?: ("png" | "jpeg" | "webp" | "avif" | "tiff") | null;
                        /**
                         * Height
                         * @description Exact height in px; the width follows if not given.
                         */
                        height?: number | null;
                        /**
                         * Model
                         * @description A model id of `GET /api/models`; the default depends on whether scale is above 2.
                         */
                        model?: string | null;
                        /**
                         * Quality
                         * @description For JPEG, WebP and AVIF.
                         */
                        quality?: number | null;
                        /**
                         * Recipe
                         * @description A named set of options of the service's configuration; other fields count before it.
                         */
                        recipe?: string | null;
                        /**
                         * Scale
                         * @description Factor; default: the model's own (4).
                         */
                        scale?: number | null;
                        /**
                         * Tile
                         * @description Largest tile edge in input px, below the service's own.
                         */
                        tile?: number | null;
                        /**
                         * Width
                         * @description Exact width in px; the height follows if not given.
                         */
                        width?: number | null;
                    };
                };
            };
            responses: {
                /** @description The results and manifest.json, which names the problem of each image that has no result. It is sent while it grows. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/zip": unknown;
                    };
                };
                /** @description Bad Request */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Not Found */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Conflict */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Request Entity Too Large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Unprocessable Entity */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Too Many Requests */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Internal Server Error */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/gen-info": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** As IOPaint: the prompt in an image; prompts are not looked for */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            [key: string]: string;
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/inpaint": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** As IOPaint: remove what is white in the mask and answer the image */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /**
                         * Enable Brushnet
                         * @default false
                         * @constant
                         */
                        enable_brushnet?: false;
                        /**
                         * Enable Controlnet
                         * @default false
                         * @constant
                         */
                        enable_controlnet?: false;
                        /**
                         * Enable Powerpaint V2
                         * @default false
                         * @constant
                         */
                        enable_powerpaint_v2?: false;
                        /**
                         * Format: byte
                         * @description The image.
                         */
                        image?: string;
                        /**
                         * Format: byte
                         * @description White marks what is to be changed.
                         */
                        mask?: string;
                        /** Paint By Example Example Image */
                        paint_by_example_example_image?: null;
                        /**
                         * Sd Seed
                         * @description Comes back as X-Seed; -1 for any.
                         * @default 42
                         */
                        sd_seed?: number;
                        /**
                         * Use Croper
                         * @default false
                         * @constant
                         */
                        use_croper?: false;
                        /**
                         * Use Extender
                         * @default false
                         * @constant
                         */
                        use_extender?: false;
                    } & {
                        [key: string]: unknown;
                    };
                };
            };
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/inputimage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** As IOPaint: there is no image that the page opens with */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            [key: string]: string;
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/model": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** As IOPaint: the model that inpaints */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            [key: string]: unknown;
                        };
                    };
                };
            };
        };
        put?: never;
        /** As IOPaint: choose it; the one that is set is the one there is */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            [key: string]: unknown;
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/run_plugin_gen_image": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** As IOPaint's plug-in RealESRGAN: upscale an image and answer it */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /**
                         * Format: byte
                         * @description The image.
                         */
                        image?: string;
                        /**
                         * Name
                         * @constant
                         */
                        name: "RealESRGAN";
                        /**
                         * Scale
                         * @default 2
                         */
                        scale?: number;
                    } & {
                        [key: string]: unknown;
                    };
                };
            };
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/samplers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** As IOPaint: there are none */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": string[];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/server-config": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** As IOPaint: what its page shows */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            [key: string]: unknown;
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/livez": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This process answers; touches no device */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Alive"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Counts and gauges for Prometheus */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Prometheus's text format. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": unknown;
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** New work is welcome here */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Readiness"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Readiness"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sdapi/v1/extra-batch-images": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** As A1111: upscale images in the same way; answers {images, html_info} */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /**
                         * Codeformer Visibility
                         * @description Faces are not restored here.
                         * @default 0
                         */
                        codeformer_visibility?: number;
                        /**
                         * Extras Upscaler 2 Visibility
                         * @default 0
                         */
                        extras_upscaler_2_visibility?: number;
                        /**
                         * Gfpgan Visibility
                         * @description Faces are not restored here.
                         * @default 0
                         */
                        gfpgan_visibility?: number;
                        /** Imagelist */
                        imageList: {
                            /** Data */
                            data: string;
                            /**
                             * Name
                             * @default
                             */
                            name?: string;
                        }[];
                        /**
                         * Resize Mode
                         * @default 0
                         * @enum {integer}
                         */
                        resize_mode?: 0 | 1;
                        /**
                         * Upscaler 1
                         * @description Of `GET /sdapi/v1/upscalers`; ours if it is not given.
                         */
                        upscaler_1?: string | null;
                        /**
                         * Upscaler 2
                         * @default None
                         */
                        upscaler_2?: string;
                        /**
                         * Upscaling Crop
                         * @description With resize_mode 1: cut off what is beyond it.
                         * @default true
                         */
                        upscaling_crop?: boolean;
                        /**
                         * Upscaling Resize
                         * @description With resize_mode 0.
                         * @default 2
                         */
                        upscaling_resize?: number;
                        /**
                         * Upscaling Resize H
                         * @description With resize_mode 1.
                         * @default 512
                         */
                        upscaling_resize_h?: number;
                        /**
                         * Upscaling Resize W
                         * @description With resize_mode 1.
                         * @default 512
                         */
                        upscaling_resize_w?: number;
                    } & {
                        [key: string]: unknown;
                    };
                };
            };
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sdapi/v1/extra-single-image": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** As A1111: upscale an image; answers {image, html_info} */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /**
                         * Codeformer Visibility
                         * @description Faces are not restored here.
                         * @default 0
                         */
                        codeformer_visibility?: number;
                        /**
                         * Extras Upscaler 2 Visibility
                         * @default 0
                         */
                        extras_upscaler_2_visibility?: number;
                        /**
                         * Gfpgan Visibility
                         * @description Faces are not restored here.
                         * @default 0
                         */
                        gfpgan_visibility?: number;
                        /**
                         * Format: byte
                         * @description The image, as a data: address or without.
                         */
                        image?: string;
                        /**
                         * Resize Mode
                         * @default 0
                         * @enum {integer}
                         */
                        resize_mode?: 0 | 1;
                        /**
                         * Upscaler 1
                         * @description Of `GET /sdapi/v1/upscalers`; ours if it is not given.
                         */
                        upscaler_1?: string | null;
                        /**
                         * Upscaler 2
                         * @default None
                         */
                        upscaler_2?: string;
                        /**
                         * Upscaling Crop
                         * @description With resize_mode 1: cut off what is beyond it.
                         * @default true
                         */
                        upscaling_crop?: boolean;
                        /**
                         * Upscaling Resize
                         * @description With resize_mode 0.
                         * @default 2
                         */
                        upscaling_resize?: number;
                        /**
                         * Upscaling Resize H
                         * @description With resize_mode 1.
                         * @default 512
                         */
                        upscaling_resize_h?: number;
                        /**
                         * Upscaling Resize W
                         * @description With resize_mode 1.
                         * @default 512
                         */
                        upscaling_resize_w?: number;
                    } & {
                        [key: string]: unknown;
                    };
                };
            };
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sdapi/v1/options": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** As A1111: the settings that clients look at */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            [key: string]: unknown;
                        };
                    };
                };
            };
        };
        put?: never;
        /** As A1111: taken if it would change nothing */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": unknown;
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sdapi/v1/progress": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** As A1111: how far the caller's own work is */
        get: {
            parameters: {
                query?: {
                    skip_current_image?: boolean;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            [key: string]: unknown;
                        };
                    };
                };
                /** @description Validation Error */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["HTTPValidationError"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sdapi/v1/scripts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** As A1111: there are none */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            [key: string]: string[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sdapi/v1/sd-models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** As A1111: the default model in the place of a checkpoint */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            [key: string]: unknown;
                        }[];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sdapi/v1/upscalers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** As A1111: what upscaler_1 may be */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            [key: string]: unknown;
                        }[];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/images/edits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** As OpenAI: remove what is under the transparent part of the mask, or of the image itself */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "multipart/form-data": {
                        /**
                         * Background
                         * @default auto
                         * @enum {string}
                         */
                        background?: "auto" | "opaque";
                        /**
                         * Format: binary
                         * @description The image; `image[]` is taken as well.
                         */
                        image?: string;
                        /**
                         * Format: binary
                         * @description Transparent where the image is to be changed.
                         */
                        mask?: string;
                        /** Model */
                        model?: string | null;
                        /**
                         * N
                         * @description One image, always.
                         * @default 1
                         */
                        n?: number;
                        /**
                         * Output Compression
                         * @description For jpeg and webp.
                         */
                        output_compression?: number | null;
                        /**
                         * Output Format
                         * @default png
                         * @enum {string}
                         */
                        output_format?: "png" | "jpeg" | "webp";
                        /**
                         * Partial Images
                         * @default 0
                         */
                        partial_images?: number;
                        /**
                         * Response Format
                         * @default b64_json
                         * @enum {string}
                         */
                        response_format?: "url" | "b64_json";
                        /**
                         * Size
                         * @description auto, or the image's own.
                         * @default auto
                         */
                        size?: string;
                        /**
                         * Stream
                         * @default false
                         * @enum {string}
                         */
                        stream?: "false" | "False" | "0";
                    } & {
                        [key: string]: unknown;
                    };
                };
            };
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/images/upscale": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** As LocalAI: upscale an image; answers {created, data: [{url or b64_json}]} */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "multipart/form-data": {
                        /**
                         * Format: binary
                         * @description The image; `image[]` is taken as well.
                         */
                        image?: string;
                        /** Model */
                        model?: string | null;
                        /**
                         * Response Format
                         * @default url
                         * @enum {string}
                         */
                        response_format?: "url" | "b64_json";
                        /**
                         * Scale
                         * @default 2
                         */
                        scale?: number;
                    } & {
                        [key: string]: unknown;
                    };
                };
            };
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** As OpenAI: the models that can be used now */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            [key: string]: unknown;
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models/{model_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** As OpenAI: one of them */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    model_id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Successful Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            [key: string]: unknown;
                        };
                    };
                };
                /** @description Validation Error */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["HTTPValidationError"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * Alert
         * @description Sent once when `value` reaches `threshold` and once when it is well below again.
         */
        Alert: {
            /**
             * Kind
             * @enum {string}
             */
            kind: "device-memory" | "device-memory-limit" | "host-memory" | "temperature" | "sensors-lost";
            /** Message */
            message: string;
            /**
             * State
             * @enum {string}
             */
            state: "raised" | "cleared";
            /** Threshold */
            threshold: number;
            /** Time S */
            time_s: number;
            /** Value */
            value: number;
        };
        /** Alive */
        Alive: {
            /**
             * Status
             * @default alive
             * @constant
             */
            status: "alive";
        };
        /**
         * DeliveryState
         * @enum {string}
         */
        DeliveryState: "pending" | "delivered" | "failed";
        /**
         * DeliveryView
         * @description How it stands with `webhook_url` or `result_url`: pending until its host has answered with 2xx.
         */
        DeliveryView: {
            /** Attempts */
            attempts: number;
            /**
             * Last Error
             * @description The last attempt's, if it failed.
             */
            last_error: string | null;
            state: components["schemas"]["DeliveryState"];
        };
        /** DeviceInfo */
        DeviceInfo: {
            /** Name */
            name: string | null;
            /** Note */
            note?: string | null;
            /** Total Bytes */
            total_bytes?: number | null;
            /** Type */
            type: string | null;
        };
        /** DeviceMemoryView */
        DeviceMemoryView: {
            /**
             * Alerts
             * @description What was raised and cleared, the oldest first.
             */
            alerts: components["schemas"]["Alert"][];
            /**
             * Device
             * @description What `device=` and profiles call it: like cuda:1, cpu.
             */
            device: string;
            /**
             * History
             * @description The oldest first; a lost worker leaves a gap.
             */
            history: components["schemas"]["MemoryPoint"][];
            /** Index */
            index: number;
            /**
             * Name
             * @description Null until its worker is ready.
             */
            name: string | null;
            /** @description Null until the worker has told, and without monitoring. */
            now: components["schemas"]["MemorySample"] | null;
            /**
             * Raised
             * @description Alerts that are up now.
             */
            raised: components["schemas"]["Alert"][];
        };
        /**
         * DownloadInfo
         * @description The download of a model's file, and of the file that it mixes with.
         */
        DownloadInfo: {
            /** @description Why it failed. */
            problem: components["schemas"]["Problem"] | null;
            /**
             * Received Bytes
             * @description What an earlier download left included.
             */
            received_bytes: number;
            /**
             * State
             * @description When it has succeeded there is no download.
             * @enum {string}
             */
            state: "running" | "failed";
            /** Total Bytes */
            total_bytes: number;
        };
        /**
         * EstimateView
         * @description What a job would need; `problem` says why it would be refused now.
         */
        EstimateView: {
            /** Accepted */
            accepted: boolean;
            device: components["schemas"]["DeviceInfo"];
            /**
             * Device Bytes
             * @description The model and what it computes at once, as measured; on a CPU, of the host's memory.
             */
            device_bytes: number | null;
            /**
             * Host Bytes
             * @description What the job adds to the worker's memory, at most.
             */
            host_bytes: number | null;
            /** Model */
            model: string;
            /** Precision */
            precision: string | null;
            problem: components["schemas"]["Problem"] | null;
            result: components["schemas"]["EstimatedSize"] | null;
            /**
             * Result Bytes
             * @description About what the result of a film will take on the disk.
             */
            result_bytes: number | null;
            /** @description Null until the model was measured. */
            seconds: components["schemas"]["EstimatedSeconds"] | null;
            /** @description Null until the model has been opened once. */
            tiles: components["schemas"]["EstimatedTiles"] | null;
            /**
             * Wait Seconds
             * @description Until what is in the queue now is done.
             */
            wait_seconds: number | null;
        };
        /**
         * EstimatedSeconds
         * @description From what this service has measured, if it had nothing else to do.
         */
        EstimatedSeconds: {
            /** Decode */
            decode: number;
            /** Device */
            device: number;
            /**
             * Encode
             * @description What remains of it after the last tile.
             */
            encode: number;
            /** Total */
            total: number;
        };
        /** EstimatedSize */
        EstimatedSize: {
            /** Height */
            height: number;
            /** Width */
            width: number;
        };
        /** EstimatedTiles */
        EstimatedTiles: {
            /**
             * Computed Pixels
             * @description Overlaps and the plane of a transparency included.
             */
            computed_pixels: number;
            /** Count */
            count: number;
            /** Height */
            height: number;
            /** Overlap */
            overlap: number;
            /**
             * Width
             * @description In px of the input, as the overlap.
             */
            width: number;
        };
        /**
         * FreedDevice
         * @description What a device got back.
         */
        FreedDevice: {
            /**
             * Bytes
             * @description Accounted for the models that were unloaded: the sum of `models`.
             */
            bytes: number;
            /** Device */
            device: string;
            /**
             * Device Bytes
             * @description By how much less of the device is in use, as measured; other programs count too.
             */
            device_bytes: number;
            /** Index */
            index: number;
            /**
             * Kept
             * @description What stays open, and what keeps it.
             */
            kept: components["schemas"]["KeptModel"][];
            /** Models */
            models: components["schemas"]["FreedModel"][];
            /** @description Why the device's worker could not. */
            problem: components["schemas"]["Problem"] | null;
            /**
             * Released
             * @description Profiles whose hold `force` took away.
             */
            released: string[];
            /**
             * Unpinned
             * @description Models whose pin `force` took away.
             */
            unpinned: string[];
        };
        /**
         * FreedModel
         * @description A form of a model that was unloaded, with what was accounted for it.
         */
        FreedModel: {
            /** Bytes */
            bytes: number;
            /** Model */
            model: string;
            /** Precision */
            precision: string;
        };
        /** FreedView */
        FreedView: {
            /**
             * Bytes
             * @description The sum over the devices.
             */
            bytes: number;
            /** Devices */
            devices: components["schemas"]["FreedDevice"][];
            instance: components["schemas"]["InstanceInfo"];
        };
        /** HTTPValidationError */
        HTTPValidationError: {
            /** Detail */
            detail?: components["schemas"]["ValidationError"][];
        };
        /** Health */
        Health: {
            device: components["schemas"]["DeviceInfo"];
            /** Model Loaded */
            model_loaded: boolean;
            /** Queued */
            queued: number;
            /**
             * Reasons
             * @description Why the status is not healthy, in words.
             */
            reasons: string[];
            /** Running */
            running: number;
            /**
             * Status
             * @enum {string}
             */
            status: "healthy" | "degraded" | "unhealthy";
            /** Worker Restarts */
            worker_restarts: number;
            /** Worker Step Age S */
            worker_step_age_s: number;
        };
        /** Info */
        Info: {
            /** Default Model */
            default_model: string;
            device: components["schemas"]["DeviceInfo"];
            /** Input Formats */
            input_formats: string[];
            /**
             * Job Kinds
             * @description What `task` of `POST /api/jobs` may be.
             */
            job_kinds: string[];
            limits: components["schemas"]["Limits"];
            /** Name */
            name: string;
            /** Output Formats */
            output_formats: string[];
            /** Recipes */
            recipes: components["schemas"]["RecipeInfo"][];
            /** Tasks */
            tasks: components["schemas"]["TaskInfo"][];
            /** Version */
            version: string;
        };
        /**
         * InstanceInfo
         * @description Which service answers, if several stand behind one address.
         */
        InstanceInfo: {
            /**
             * Host
             * @description The name of its machine.
             */
            host: string;
            /**
             * Id
             * @description PIXELMEND_INSTANCE, or its machine and port.
             */
            id: string;
            /**
             * Port
             * @description Where it listens.
             */
            port: number;
        };
        /** InstanceList */
        InstanceList: {
            /**
             * Instances
             * @description The one that answers comes first.
             */
            instances: components["schemas"]["InstanceView"][];
        };
        /**
         * InstanceView
         * @description A service: this one, or one of PIXELMEND_PEERS.
         */
        InstanceView: {
            instance: components["schemas"]["InstanceInfo"] | null;
            memory: components["schemas"]["MemoryView"] | null;
            /**
             * Models
             * @description Those that are open there.
             */
            models: components["schemas"]["ModelInfo"][];
            /**
             * Problem
             * @description Why nothing is known of it.
             */
            problem: string | null;
            /**
             * Url
             * @description Null for the one that answers.
             */
            url: string | null;
        };
        /**
         * ItemView
         * @description An image of a batch.
         */
        ItemView: {
            /** File Name */
            file_name: string;
            /** Height */
            height: number | null;
            /** Index */
            index: number;
            /**
             * Output
             * @description The result's name in the archive.
             */
            output: string | null;
            /** @description Why there is no result. */
            problem: components["schemas"]["Problem"] | null;
            /** Sha256 */
            sha256: string | null;
            /** Size Bytes */
            size_bytes: number | null;
            state: components["schemas"]["JobState"];
            /** Width */
            width: number | null;
        };
        /** JobList */
        JobList: {
            /** Jobs */
            jobs: components["schemas"]["JobView"][];
        };
        /** JobProgress */
        JobProgress: {
            /**
             * Done Items
             * @description Images of a batch with a result.
             */
            done_items: number | null;
            /** Done Tiles */
            done_tiles: number;
            /**
             * Failed Items
             * @description Images of a batch with a problem.
             */
            failed_items: number | null;
            /** Fraction */
            fraction: number;
            /** Total Items */
            total_items: number | null;
            /**
             * Total Tiles
             * @description 0 until the image is decoded.
             */
            total_tiles: number;
        };
        /** JobResult */
        JobResult: {
            /** Height */
            height: number | null;
            /** Media Type */
            media_type: string;
            /** Sha256 */
            sha256: string;
            /** Size Bytes */
            size_bytes: number;
            /**
             * Url
             * @description What follows the service's address.
             */
            url: string;
            /**
             * Width
             * @description An image's; null for a batch's archive.
             */
            width: number | null;
        };
        /**
         * JobState
         * @enum {string}
         */
        JobState: "queued" | "running" | "suspended" | "done" | "failed" | "cancelled" | "expired";
        /**
         * JobView
         * @description A job: `queued`, `running`, then one of `done`, `failed`, `cancelled`; `done` becomes `expired`.
         */
        JobView: {
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** @description The same of a result_url. */
            delivery?: components["schemas"]["DeliveryView"] | null;
            /** Ended At */
            ended_at: string | null;
            /**
             * Eta S
             * @description Seconds to the end, from what was measured; null if unknown.
             */
            eta_s: number | null;
            /**
             * Expires At
             * @description Until when the result is kept.
             */
            expires_at: string | null;
            /** File Name */
            file_name: string | null;
            /** Id */
            id: string;
            /**
             * Items
             * @description A batch's images; not in lists and `progress` events.
             */
            items?: components["schemas"]["ItemView"][] | null;
            /** Model */
            model: string;
            /**
             * Place
             * @description The name of queue_position in version 0.1; use that.
             */
            place: number | null;
            /** @description Why it failed or was cancelled. */
            problem: components["schemas"]["Problem"] | null;
            progress: components["schemas"]["JobProgress"];
            /**
             * Queue Position
             * @description From 1; null unless queued.
             */
            queue_position: number | null;
            /** @description Once it is done, until it expires. */
            result: components["schemas"]["JobResult"] | null;
            state: components["schemas"]["JobState"];
            /**
             * Task
             * @description The kind of the job; `GET /api/info` has all kinds.
             */
            task: string;
            /** @description In answers of `/api/jobs` and `/api/jobs/ID`, if a webhook_url was sent. */
            webhook?: components["schemas"]["DeliveryView"] | null;
        };
        /**
         * KeptModel
         * @description A model that stays open, and why: jobs that use it, a pin, profiles.
         */
        KeptModel: {
            /** Leases */
            leases: number;
            /** Model */
            model: string;
            /** Pinned */
            pinned: boolean;
            /** Profiles */
            profiles: string[];
        };
        /** Limits */
        Limits: {
            /** Max Batch Bytes */
            max_batch_bytes: number;
            /** Max Batch Items */
            max_batch_items: number;
            /** Max Input Pixels */
            max_input_pixels: number;
            /** Max Input Side Px */
            max_input_side_px: number;
            /** Max Output Pixels */
            max_output_pixels: number;
            /** Max Queue Jobs */
            max_queue_jobs: number;
            /**
             * Max Scale
             * @default 8
             */
            max_scale: number;
            /** Max Upload Bytes */
            max_upload_bytes: number;
            /**
             * Max Video Bytes
             * @description Largest film.
             */
            max_video_bytes: number;
            /**
             * Max Video Frames
             * @description Most frames of a film, or of a part of one.
             */
            max_video_frames: number;
            /**
             * Max Video S
             * @description Longest film, or part of one, in seconds.
             */
            max_video_s: number;
            /**
             * Min Scale
             * @default 1
             */
            min_scale: number;
            /** Request Timeout S */
            request_timeout_s: number;
        };
        /**
         * ManagedSetting
         * @description A setting that can be changed while the service runs.
         */
        ManagedSetting: {
            /**
             * Configured
             * @description What the service was started with.
             */
            configured: boolean | number;
            /** Description */
            description: string;
            /** @description Null for a switch. */
            range: components["schemas"]["NumberRange"] | null;
            /** Unit */
            unit: ("percent" | "minutes" | "seconds") | null;
            /**
             * Value
             * @description What counts now, in every worker.
             */
            value: boolean | number;
        };
        /** ManagementView */
        ManagementView: {
            instance: components["schemas"]["InstanceInfo"];
            /**
             * Note
             * @description The same in words, and where to set them for good.
             */
            note: string;
            /**
             * Persistent
             * @description Whether changes last over a restart of the service: they do not.
             */
            persistent: boolean;
            /**
             * Settings
             * @description By the names that PATCH takes.
             */
            settings: {
                [key: string]: components["schemas"]["ManagedSetting"];
            };
        };
        /**
         * MemoryPoint
         * @description A moment of the history; `time_s` is Unix time.
         */
        MemoryPoint: {
            /** Accounted Bytes */
            accounted_bytes: number;
            /** Device Used Bytes */
            device_used_bytes: number;
            /** Host Used Bytes */
            host_used_bytes: number;
            /** Temperature C */
            temperature_c: number | null;
            /** Time S */
            time_s: number;
            /** Utilisation Percent */
            utilisation_percent: number | null;
            /** Worker Bytes */
            worker_bytes: number;
        };
        /**
         * MemorySample
         * @description A worker's memory at one moment. None: the device has no such sensor.
         *
         *     time_s: Unix. device_used_bytes: by all programs, and reserved for models but not yet taken.
         *     accounted_bytes: the sum of `models`. ceiling_bytes: what max_memory_usage_percent allows.
         */
        MemorySample: {
            /** Accounted Bytes */
            accounted_bytes: number;
            /**
             * Active Profiles
             * @default []
             */
            active_profiles: string[];
            /** Ceiling Bytes */
            ceiling_bytes: number;
            /** Device Capacity Bytes */
            device_capacity_bytes: number;
            /** Device Used Bytes */
            device_used_bytes: number;
            /** Host Total Bytes */
            host_total_bytes: number;
            /** Host Used Bytes */
            host_used_bytes: number;
            /**
             * Models
             * @default []
             */
            models: components["schemas"]["ModelMemory"][];
            /**
             * @default {
             *       "evicted": 0,
             *       "redone": 0,
             *       "refused": 0,
             *       "retried": 0,
             *       "smaller": 0
             *     }
             */
            recoveries: components["schemas"]["RecoveryCounts"];
            /** Sensors Lost */
            sensors_lost: boolean;
            /** Temperature C */
            temperature_c: number | null;
            /** Time S */
            time_s: number;
            /** Utilisation Percent */
            utilisation_percent: number | null;
            /** Worker Bytes */
            worker_bytes: number;
        };
        /** MemoryView */
        MemoryView: {
            /** Devices */
            devices: components["schemas"]["DeviceMemoryView"][];
            /**
             * Enabled
             * @description memory_monitoring_enabled, as it is now; there are no samples without.
             */
            enabled: boolean;
            instance: components["schemas"]["InstanceInfo"];
            /**
             * Interval S
             * @description memory_monitoring_interval, as it is now.
             */
            interval_s: number;
        };
        /** ModelInfo */
        ModelInfo: {
            /** Architecture */
            architecture: string | null;
            /**
             * Bytes
             * @description What it takes of the device, weights and tiles.
             */
            bytes: number | null;
            /**
             * Denoise
             * @description Takes the `denoise` parameter.
             */
            denoise: boolean;
            /**
             * Detail
             * @description Takes the `detail` parameter.
             */
            detail: boolean;
            /**
             * Devices
             * @description Where it is open.
             */
            devices: string[];
            /** @description Under way or failed; null otherwise. */
            download: components["schemas"]["DownloadInfo"] | null;
            /**
             * File Bytes
             * @description The size of the file that can be downloaded.
             */
            file_bytes: number | null;
            /** Id */
            id: string;
            /**
             * Idle S
             * @description Since its last use, on the device that used it last; null while it is in use or not open, and without memory monitoring.
             */
            idle_s: number | null;
            /**
             * Leases
             * @description Jobs that use it now.
             */
            leases: number;
            /** Licence */
            licence: string | null;
            /** Loaded */
            loaded: boolean;
            /**
             * Origin
             * @enum {string}
             */
            origin: "embedded" | "catalog" | "dropped-in";
            /**
             * Pinned
             * @description Never unloaded.
             */
            pinned: boolean;
            /** Precision */
            precision: string | null;
            /**
             * Present
             * @description Its file is there; others can be downloaded.
             */
            present: boolean;
            /**
             * Problem
             * @description Why its file cannot be used: found when that was tried, or foreseen.
             */
            problem: string | null;
            /**
             * Profiles
             * @description Those that hold it.
             */
            profiles: string[];
            /**
             * Scale
             * @description None for a dropped-in file that was not used yet.
             */
            scale: number | null;
            /**
             * Task
             * @description A dropped-in file's is known once it was used.
             * @enum {string}
             */
            task: "upscale" | "inpaint";
            /** Title */
            title: string;
        };
        /** ModelList */
        ModelList: {
            instance: components["schemas"]["InstanceInfo"];
            /** Models */
            models: components["schemas"]["ModelInfo"][];
            /**
             * Passed Over
             * @description Files of the models directory that are no models, and why.
             * @default []
             */
            passed_over: string[];
        };
        /**
         * ModelMemory
         * @description An open model, or a mixture. `leaving`: it gets no new lease and is closed after its last one. denoise,
         *     detail: of a mixture; None if that dial is not turned.
         */
        ModelMemory: {
            /** Bytes */
            bytes: number;
            /** Denoise */
            denoise?: number | null;
            /** Detail */
            detail?: number | null;
            /** Idle S */
            idle_s: number;
            /** Leases */
            leases: number;
            /** Leaving */
            leaving: boolean;
            /** Model */
            model: string;
            /** Pinned */
            pinned: boolean;
            /** Precision */
            precision: string;
            /**
             * Profiles
             * @default []
             */
            profiles: string[];
            /** Weights Bytes */
            weights_bytes: number;
        };
        /**
         * NumberRange
         * @description What a number may be; null: no limit.
         */
        NumberRange: {
            /** Maximum */
            maximum: number | null;
            /** Minimum */
            minimum: number | null;
            /**
             * Minimum Excluded
             * @description It has to be greater than the minimum.
             */
            minimum_excluded: boolean;
        };
        /**
         * Placement
         * @description What a profile says of one of its models.
         */
        Placement: {
            /**
             * Device
             * @description Where it is opened, like cuda:1; unset: wherever it fits.
             */
            device?: string | null;
            /**
             * Priority
             * @description Higher ones are opened first and, if they may be cleaned up, evicted last; unset: the profile's own.
             */
            priority?: number | null;
        };
        /**
         * Problem
         * @description Any error (RFC 9457).
         */
        Problem: {
            /** Detail */
            detail: string;
            /** Request Id */
            request_id: string | null;
            /** Retryable */
            retryable: boolean;
            /** Status */
            status: number;
            /** Title */
            title: string;
            /** Type */
            type: string;
        };
        /**
         * ProfileDescription
         * @description A named set of models. `active`: preloaded and not released since.
         *
         *     `placements`: a device, and a priority, for some of its models. `read_only`: it stands in the
         *     configuration.
         */
        ProfileDescription: {
            /** Active */
            active: boolean;
            /** Auto Cleanup */
            auto_cleanup: boolean;
            /** Memory Limit Bytes */
            memory_limit_bytes: number | null;
            /** Memory Limit Percent */
            memory_limit_percent: number | null;
            /** Models */
            models: string[];
            /** Name */
            name: string;
            /** Placements */
            placements?: {
                [key: string]: components["schemas"]["Placement"];
            };
            /** Preload */
            preload: boolean;
            /** Priority */
            priority: number;
            /**
             * Read Only
             * @default true
             */
            read_only: boolean;
        };
        /** ProfileList */
        ProfileList: {
            /** Profiles */
            profiles: components["schemas"]["ProfileDescription"][];
        };
        /** Readiness */
        Readiness: {
            /** Ready */
            ready: boolean;
            /** Reasons */
            reasons: string[];
        };
        /**
         * RecipeInfo
         * @description A named set of options: `recipe=NAME` in a form.
         */
        RecipeInfo: {
            /** Fields */
            fields: {
                [key: string]: unknown;
            };
            /** Name */
            name: string;
            /** Task */
            task: string;
        };
        /**
         * RecoveryCounts
         * @description What was done, since the worker began, to get tiles right. `evicted` counts models.
         */
        RecoveryCounts: {
            /**
             * Evicted
             * @default 0
             */
            evicted: number;
            /**
             * Redone
             * @default 0
             */
            redone: number;
            /**
             * Refused
             * @default 0
             */
            refused: number;
            /**
             * Retried
             * @default 0
             */
            retried: number;
            /**
             * Smaller
             * @default 0
             */
            smaller: number;
        };
        /**
         * TaskInfo
         * @description A kind of work: `POST /api/NAME` for one image, `POST /api/NAME-batch` for many; a job for a film.
         */
        TaskInfo: {
            /**
             * Available
             * @description All that it needs is installed.
             */
            available: boolean;
            /**
             * Fields
             * @description Text fields of its form.
             */
            fields: string[];
            /** Name */
            name: string;
            /** Summary */
            summary: string;
            /** Takes Mask */
            takes_mask: boolean;
            /**
             * Takes Video
             * @description Its file is a film, and it is a job: no request waits for it.
             */
            takes_video: boolean;
        };
        /** ValidationError */
        ValidationError: {
            /** Context */
            ctx?: Record<string, never>;
            /** Input */
            input?: unknown;
            /** Location */
            loc: (string | number)[];
            /** Message */
            msg: string;
            /** Error Type */
            type: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
