import { IconArrowsMaximize } from '@tabler/icons-react';
import { nameOf } from '../../files/names';
import { newId } from '../../lib/id';
import type { TaskFeature } from '../../state/feature';
import { settingsPart } from '../../state/settings';
import { upscalingSettings } from '../../state/upscaling';
import { upscaleTask } from './task';
import { UpscaleTab } from './UpscaleTab';

/** Upscales a queue of images. */
export const upscaleFeature: TaskFeature = {
  id: 'upscale',
  fragment: 'upscale',
  titleKey: 'app.upscale',
  Icon: IconArrowsMaximize,
  Screen: UpscaleTab,
  settings: [settingsPart(upscalingSettings)],
  shortcuts: [
    ['previousNext', 'J · K'],
    ['remove', 'Delete'],
    ['slider', '← · →'],
  ],
  task: upscaleTask,
  takesMany: true,
  take: ({ queue }, files) => {
    const addedMs = Date.now();
    const items = files.map((file, n) => ({
      id: newId(),
      file,
      fileName: nameOf(file),
      // Items are ordered by this number.
      addedMs: addedMs + n / 1000,
    }));
    queue.dispatch({ type: 'added', items });
  },
};
