import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const ASKED_RANGE = /bytes=(\d+)-/;

/** Serves a file of zeros. The first part is sent at once, the rest after `goOn`. */
export class Mirror {
  private readonly server: Server;
  private readonly sizeBytes: number;
  private readonly firstBytes: number;
  private held: (() => void)[] = [];
  private isHolding = true;
  readonly askedRanges: (string | undefined)[] = [];

  constructor(sizeBytes: number, firstBytes: number) {
    this.sizeBytes = sizeBytes;
    this.firstBytes = firstBytes;
    this.server = createServer((request, response) => this.answer(request, response));
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  goOn(): void {
    this.isHolding = false;
    for (const finish of this.held.splice(0)) finish();
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    this.askedRanges.push(request.headers.range);
    const start = Number(ASKED_RANGE.exec(request.headers.range ?? '')?.[1] ?? 0);
    const left = this.sizeBytes - start;
    response.writeHead(start ? 206 : 200, {
      'Content-Length': left,
      ETag: '"v1"',
      ...(start && { 'Content-Range': `bytes ${start}-${this.sizeBytes - 1}/${this.sizeBytes}` }),
    });
    const first = start ? 0 : this.firstBytes;
    response.flushHeaders();
    response.write(Buffer.alloc(first));
    const finish = () => response.end(Buffer.alloc(left - first));
    if (this.isHolding) this.held.push(finish);
    else finish();
  }
}
