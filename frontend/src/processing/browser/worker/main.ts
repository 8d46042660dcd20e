/** The worker's entry. All long computations run here, so that the page stays responsive. */

import { expose, releaseProxy, type Remote } from 'comlink';
import { runJob } from './job';
import { Networks, prefetch } from './networks';
import { failureOf, type Job, type Outcome, type StageProgress } from './workerApi';

type RemoteProgress = Remote<(progress: StageProgress) => void>;

function start(): void {
  const networks = new Networks();
  expose({
    run: (job: Job, onProgress: RemoteProgress) =>
      outcomeOf(async () => {
        let last: Promise<void> = Promise.resolve();
        const result = await runJob(job, networks, (progress) => {
          last = onProgress(progress);
        });
        // Progress travels by a port of its own, which the result could overtake.
        await last;
        onProgress[releaseProxy]();
        return result;
      }),
    prefetch: () => outcomeOf(() => prefetch().then(() => null)),
  });
}

async function outcomeOf<Result>(act: () => Promise<Result>): Promise<Outcome<Result>> {
  try {
    return { result: await act() };
  } catch (error) {
    return { failure: failureOf(error) };
  }
}

start();
