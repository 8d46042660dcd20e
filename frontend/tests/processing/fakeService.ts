import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** An HTTP server that answers as the test says: handlers by `METHOD /path`. It records the requests. */
export class FakeService {
  readonly asked: string[] = [];
  readonly handlers: Record<string, Handler>;
  private readonly server: Server;

  constructor(handlers: Record<string, Handler>) {
    this.handlers = handlers;
    this.server = createServer((request, response) => {
      const name = `${request.method} ${request.url}`;
      this.asked.push(name);
      request.resume();
      const handler = this.handlers[name];
      if (handler) handler(request, response);
      else problem(404, 'unknown-job')(request, response);
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Handler {
  return (_, response) => {
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
}

export function problem(status: number, code: string, retryAfterS?: number): Handler {
  return (_, response) => {
    const headers: Record<string, string> = { 'Content-Type': 'application/problem+json' };
    if (retryAfterS !== undefined) headers['Retry-After'] = String(retryAfterS);
    response.writeHead(status, headers);
    const body = { type: `urn:pixelmend:problem:${code}`, title: code, status, detail: `it is ${code}` };
    response.end(JSON.stringify({ ...body, request_id: 'r', retryable: status >= 500 }));
  };
}

export function job(state: string, more: object = {}): Record<string, unknown> {
  return {
    id: 'j1',
    state,
    progress: { done_tiles: 0, total_tiles: 0, fraction: 0 },
    place: null,
    eta_s: null,
    model: 'm',
    result: state === 'done' ? { size_bytes: 5, width: 8, height: 6 } : null,
    problem: null,
    ...more,
  };
}

export function sse(...events: [name: string, data: unknown][]): string {
  return events
    .map(([name, data], n) => `event: ${name}\nid: e-${n}\ndata: ${JSON.stringify(data)}\n\n`)
    .join('');
}
