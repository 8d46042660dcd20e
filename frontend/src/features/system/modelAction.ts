import type { ModelInfo } from '../../api/client';

export type ModelAction = 'load' | 'unload' | 'pin' | 'unpin' | 'download' | 'stopDownload';

export interface ModelProps {
  model: ModelInfo;
  isBusy: boolean;
  onAct: (action: ModelAction) => void;
}
