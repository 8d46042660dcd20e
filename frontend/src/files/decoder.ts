import type { Decoder } from './check';
import { measure } from './measure';
import { makeThumbnail } from './thumbnail';

/** What this browser can decode. */
export const browserDecoder: Decoder = { thumbnail: makeThumbnail, measure };
