import type { Size } from '../../../imaging/geometry';
import type { Pixels } from '../../../imaging/pixels';
import type { TaskOptions } from '../../options';
import type { Note } from '../../processor';
import type { TimedWriter } from '../codec/timedWriter';
import type { Networks } from '../worker/networks';
import type { StageProgress } from '../worker/workerApi';

/** A part of the progress bar, within 0 to 1. */
export interface BarPart {
  from: number;
  to: number;
}

export interface WorkContext {
  image: Pixels;
  mask: Blob | null;
  networks: Networks;
  /** Notes for the user are added here. */
  notes: Note[];
  bar: BarPart;
  report: (progress: StageProgress) => void;
}

/** A result whose rows are all written, and whose file is not finished yet. */
export interface Written {
  writer: TimedWriter;
  size: Size;
  model: string;
  device: string;
}

export type Work = (context: WorkContext) => Promise<Written>;

/** How this browser computes a task. */
export interface BrowserTask<Options extends TaskOptions> {
  /** Raises ProcessError, before anything is loaded, if the options ask for what this browser cannot do. */
  prepare(options: Options): Work;
}

/** Reports the progress of one stage, which fills a part of the bar. */
export function stageReporter(
  report: WorkContext['report'],
  stage: StageProgress['stage'],
  { from, to }: BarPart,
): (done: number, total: number) => void {
  return (done, total) => {
    const fraction = total > 0 ? from + ((to - from) * done) / total : from;
    report({ stage, done, total, fraction });
  };
}
