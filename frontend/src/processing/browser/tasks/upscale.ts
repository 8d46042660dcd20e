import type { Pixels } from '../../../imaging/pixels';
import type { TaskOptions, TargetSize, UpscaleOptions, Upscaling } from '../../options';
import { openWriter } from '../codec/openWriter';
import { choose } from '../manifest';
import { sizeFor } from '../upscale/target';
import { upscale } from '../upscale/upscale';
import { stageReporter, type BarPart, type BrowserTask, type WorkContext, type Written } from './browserTask';

/** The part of the bar for loading the network. */
const LOADING_SHARE = 0.05;

export const upscaleTask: BrowserTask<UpscaleOptions> = {
  prepare: (options) => {
    const work = prepareUpscaling(options, options);
    return (context) => work(context, context.image, context.bar);
  },
};

type UpscalingWork = (context: WorkContext, image: Pixels, bar: BarPart) => Promise<Written>;

/** Upscaling as a step of any task. Raises ProcessError if this browser has no such model. */
export function prepareUpscaling(wanted: Upscaling, output: TaskOptions): UpscalingWork {
  const chosen = choose(wanted);
  return async ({ networks, notes, report }, image, { from, to }) => {
    const loaded = from + LOADING_SHARE;
    const network = await networks.use(chosen, stageReporter(report, 'loading-model', { from, to: loaded }));
    const size = sizeFor(image, namedTarget(wanted.target, network.scale));
    const writer = openWriter(output, size, image.channels);
    await upscale(image, size, network, writer, stageReporter(report, 'computing', { from: loaded, to }));
    if (networks.gpuFailure !== null) {
      notes.push({ key: 'gpuFailed', text: `The GPU failed: ${networks.gpuFailure}` });
    }
    return { writer, size, model: chosen.entry.id, device: networks.device };
  };
}

/** An exact size that names neither side means the network's own factor. */
function namedTarget(target: TargetSize, networkScale: number): TargetSize {
  const isNamed = target.kind === 'scale' || target.widthPx !== null || target.heightPx !== null;
  return isNamed ? target : { kind: 'scale', factor: networkScale };
}
