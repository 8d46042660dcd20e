import { IconMovie } from '@tabler/icons-react';
import { lazy } from 'react';
import type { TaskFeature } from '../../state/feature';
import { settingsPart } from '../../state/settings';
import { filmSettings } from './settings';
import { addFilms, pickAndAdd } from './take';

/** Upscales films and animated images, which only the service does. */
export const filmsFeature: TaskFeature = {
  id: 'upscale-video',
  fragment: 'films',
  titleKey: 'app.films',
  Icon: IconMovie,
  Screen: lazy(() => import('./FilmsTab')),
  settings: [settingsPart(filmSettings)],
  shortcuts: [
    ['play', 'P'],
    ['frame', ', · .'],
    ['sound', 'M'],
    ['slider', '← · →'],
  ],
  task: null,
  takesMany: true,
  take: addFilms,
  pick: pickAndAdd,
};
