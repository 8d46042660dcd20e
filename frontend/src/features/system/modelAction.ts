import type { ModelInfo } from '../../api/client';

/** What can be done with several models at once. */
export type ManyAction = 'load' | 'unload' | 'pin' | 'unpin';
export type ModelAction = ManyAction | 'download' | 'stopDownload';

export interface ModelProps {
  model: ModelInfo;
  isBusy: boolean;
  onAct: (action: ModelAction) => void;
}

/** A model without a network can be neither loaded nor unloaded. */
export function isBuiltIn(model: ModelInfo): boolean {
  return model.origin === 'embedded' && model.architecture === null;
}

export function isSelectable(model: ModelInfo): boolean {
  return model.present && !model.download && !isBuiltIn(model);
}
