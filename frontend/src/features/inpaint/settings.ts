import { MASK_FEATHER_PX, MASK_GROW_PX } from '../../api/constants';
import type { SettingsPart } from '../../state/settings';
import { isNumber } from '../../state/valid';

export interface InpaintSettings {
  brushPx: number;
  maskGrowPx: number;
  maskFeatherPx: number;
}

export const inpaintSettings: SettingsPart<InpaintSettings> = {
  defaults: { brushPx: 40, maskGrowPx: MASK_GROW_PX.default, maskFeatherPx: MASK_FEATHER_PX.default },
  valid: {
    brushPx: isNumber({ min: 1, max: 2000 }),
    maskGrowPx: isNumber(MASK_GROW_PX),
    maskFeatherPx: isNumber(MASK_FEATHER_PX),
  },
  // The service refuses a soft edge that is wider than the margin.
  adjust: ({ maskGrowPx, maskFeatherPx }) => ({ maskFeatherPx: Math.min(maskFeatherPx, maskGrowPx) }),
};
