import { DEFAULT_INPAINT_MODEL } from '../../../api/constants';
import { cutOut, type Pixels } from '../../../imaging/pixels';
import { ProcessError } from '../../../lib/errors';
import type { InpaintOptions } from '../../options';
import { decodeImage } from '../codec/decode';
import { openWriter } from '../codec/openWriter';
import { inpaint } from '../inpaint/inpaint';
import { stageReporter, type BarPart, type BrowserTask, type WorkContext, type Written } from './browserTask';
import { prepareUpscaling } from './upscale';

/** The part that inpainting takes of the bar if the result is upscaled afterwards. */
const INPAINT_SHARE = 0.3;
const ROWS_AT_ONCE = 256;

export const inpaintTask: BrowserTask<InpaintOptions> = {
  prepare: (options) => {
    const { model, thenUpscale } = options;
    if (model !== null && model !== DEFAULT_INPAINT_MODEL) {
      throw new ProcessError('model-unavailable', `this browser has no model ${model}`);
    }
    if (thenUpscale === null) {
      return async (context) => write(await inpainted(context, options, context.bar), options);
    }
    const upscaling = prepareUpscaling(thenUpscale, options);
    return async (context) => {
      const { from, to } = context.bar;
      const middle = from + INPAINT_SHARE * (to - from);
      const image = await inpainted(context, options, { from, to: middle });
      return upscaling(context, image, { from: middle, to });
    };
  },
};

async function inpainted(
  { image, mask, notes, report }: WorkContext,
  options: InpaintOptions,
  bar: BarPart,
): Promise<Pixels> {
  if (mask === null) throw new ProcessError('failed', 'there is no mask');
  const { pixels: drawn } = await decodeImage(mask, new Uint8Array(await mask.arrayBuffer()), true);
  const { pixels, areaPx } = inpaint(image, drawn, options, stageReporter(report, 'computing', bar));
  if (areaPx === 0) notes.push({ key: 'emptyMask', text: 'The mask is empty: nothing was removed.' });
  return pixels;
}

/** Writes the image at its own size. */
async function write(image: Pixels, options: InpaintOptions): Promise<Written> {
  const { widthPx, heightPx, channels } = image;
  const size = { widthPx, heightPx };
  const writer = openWriter(options, size, channels);
  for (let start = 0; start < heightPx; start += ROWS_AT_ONCE) {
    const y = { start, stop: Math.min(start + ROWS_AT_ONCE, heightPx) };
    await writer.write(cutOut(image, { x: { start: 0, stop: widthPx }, y }).data);
  }
  return { writer, size, model: DEFAULT_INPAINT_MODEL, device: 'javascript' };
}
