// node clients/js/example.mjs http://localhost:8000 photo.jpg large.png
import { openAsBlob } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { Pixelmend, PixelmendError } from './pixelmend.js';

const [url = 'http://localhost:8000', image = 'photo.jpg', out = 'large.png'] = process.argv.slice(2);
const service = new Pixelmend(url, { key: process.env.PIXELMEND_API_KEY });

const job = await service.upload('upscale', await openAsBlob(image), {
  name: basename(image),
  fields: { scale: 2 },
});
const done = await service.wait(job, {
  onProgress: ({ state, progress }) => console.log(`${state} ${Math.round(100 * progress.fraction)}%`),
});
await writeFile(out, Buffer.from(await (await service.result(done)).arrayBuffer()));
console.log(`${out}: ${done.result?.width}x${done.result?.height} by ${done.model}`);

try {
  await service.upload('upscale', await openAsBlob(image), {
    fields: { scale: 99 },
  });
} catch (error) {
  if (!(error instanceof PixelmendError)) throw error;
  console.log(`${error.code}: ${error.message}`);
}
const other = await service.upload('upscale', await openAsBlob(image), {
  fields: { scale: 3 },
});
console.log(`then ${(await service.cancel(other)).state}`);
