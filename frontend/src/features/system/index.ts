import { IconCpu } from '@tabler/icons-react';
import { lazy } from 'react';
import type { Feature } from '../../state/feature';

/** Shows the service: devices, memory, models, settings. */
export const systemFeature: Feature = {
  id: 'system',
  fragment: 'system',
  titleKey: 'app.system',
  Icon: IconCpu,
  Screen: lazy(() => import('./SystemTab')),
  settings: [],
  shortcuts: [],
};
