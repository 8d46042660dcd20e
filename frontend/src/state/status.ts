/** What is known of the service, and what computes because of it. */

import type { ProcessError } from '../lib/errors';
import type { ModePreference } from '../processing/automatic';
import type { Capabilities } from '../processing/processor';

export type Failing = 'unreachable' | 'not-ready' | 'busy';

export type ServiceStatus = { state: 'unknown' } | { state: 'ready' } | { state: Failing; detail: string };

export type StatusAction = { type: 'ready' } | { type: 'failed'; error: ProcessError };

export function reduceStatus(state: ServiceStatus, action: StatusAction): ServiceStatus {
  if (action.type === 'ready') return state.state === 'ready' ? state : { state: 'ready' };
  const { code, message } = action.error;
  const failing: Failing = code === 'not-ready' || code === 'busy' ? code : 'unreachable';
  const isSame = 'detail' in state && state.state === failing && state.detail === message;
  return isSame ? state : { state: failing, detail: message };
}

export type Mode = 'server' | 'browser' | 'none' | 'unknown';

/** What would compute now. */
export function modeOf(
  preference: ModePreference,
  status: ServiceStatus,
  browser: Capabilities | undefined,
): Mode {
  const local: Mode = browser?.available ? 'browser' : 'none';
  if (preference === 'browser') return local;
  if (status.state === 'unknown') return 'unknown';
  if (status.state === 'ready') return 'server';
  return preference === 'server' ? 'none' : local;
}
