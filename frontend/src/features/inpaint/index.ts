import { IconEraser } from '@tabler/icons-react';
import { lazy } from 'react';
import { nameOf } from '../../files/names';
import { newId } from '../../lib/id';
import type { TaskFeature } from '../../state/feature';
import { settingsPart } from '../../state/settings';
import { upscalingSettings } from '../../state/upscaling';
import { inpaintSettings } from './settings';
import { inpaintTask } from './task';

/** Removes what is painted over, in one image at a time. */
export const inpaintFeature: TaskFeature = {
  id: 'inpaint',
  // The section is called Erase on the page, and links to it use the word.
  fragment: 'erase',
  titleKey: 'app.inpaint',
  Icon: IconEraser,
  Screen: lazy(() => import('./InpaintTab')),
  settings: [settingsPart(inpaintSettings), settingsPart(upscalingSettings)],
  shortcuts: [
    ['tools', 'B · E · R · L · H'],
    ['brush', '[ · ]'],
    ['undo', 'Ctrl Z · Ctrl Shift Z'],
    ['invert', 'I'],
    ['takeAway', 'Alt'],
    ['space', 'Space'],
    ['original', 'V'],
  ],
  task: inpaintTask,
  takesMany: false,
  take: ({ chosen }, [file]) => {
    if (file) chosen.dispatch({ task: 'inpaint', id: newId(), file, fileName: nameOf(file) });
  },
};
