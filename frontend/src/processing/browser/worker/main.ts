/** The worker. All that takes time happens here, so that the page stays quick. */

import { runJob } from './job';
import { Networks, prefetch } from './networks';
import { failureOf, type Reply, type Request } from './protocol';

function start(): void {
  const networks = new Networks();
  const reply = (message: Reply) => self.postMessage(message);
  const answer = async (request: Request): Promise<Reply> => {
    const { job } = request;
    try {
      if (request.kind === 'prefetch') {
        await prefetch();
        return { kind: 'prefetched', job };
      }
      const result = await runJob(request, networks, (progress) =>
        reply({ kind: 'progress', job, progress }),
      );
      return { kind: 'done', job, result };
    } catch (error) {
      return { kind: 'failed', job, failure: failureOf(error) };
    }
  };
  self.addEventListener('message', (event: MessageEvent<Request>) => {
    void answer(event.data).then(reply);
  });
}

start();
