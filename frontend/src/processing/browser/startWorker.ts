import { proxy, wrap } from 'comlink';
import type { WorkerApi } from './worker/workerApi';

export interface EngineWorker {
  api: WorkerApi;
  /** Calls back if the script could not be fetched or run, or if the worker died. */
  onDeath(listener: (message: string) => void): void;
  end(): void;
}

export function startWorker(): EngineWorker {
  const worker = new Worker(new URL('./worker/main.ts', import.meta.url), {
    type: 'module',
    name: 'pixelmend-engine',
  });
  const remote = wrap<WorkerApi>(worker);
  return {
    api: {
      run: (job, onProgress) => remote.run(job, proxy(onProgress)),
      prefetch: () => remote.prefetch(),
    },
    onDeath: (listener) => {
      const onError = (event: Event) =>
        listener((event as Partial<ErrorEvent>).message || 'the worker could not be loaded');
      worker.addEventListener('error', onError);
      worker.addEventListener('messageerror', onError);
    },
    end: () => worker.terminate(),
  };
}
