import { createTheme, type MantineColorsTuple } from '@mantine/core';

const TEAL: MantineColorsTuple = [
  '#e8f7f5',
  '#d2ece9',
  '#a4d9d4',
  '#72c5be',
  '#4ab4ab',
  '#2fa89f',
  '#14958c',
  '#0b7a75',
  '#07655f',
  '#03504c',
];

/** The greys of the surfaces in base.css, so that fields and menus match them. */
const DARK: MantineColorsTuple = [
  '#d3dadb',
  '#b6c0c2',
  '#97a3a5',
  '#5f6b6e',
  '#3a4446',
  '#2f383a',
  '#252c2e',
  '#1b2022',
  '#15191b',
  '#0f1314',
];

export const theme = createTheme({
  primaryColor: 'mend',
  // Its contrast with white is 5.2 to 1, enough to be read.
  primaryShade: { light: 7, dark: 7 },
  colors: { mend: TEAL, dark: DARK },
  defaultRadius: 'md',
  cursorType: 'pointer',
  fontFamily:
    'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei", sans-serif',
  respectReducedMotion: true,
  headings: { fontWeight: '600' },
  components: {
    Tooltip: { defaultProps: { openDelay: 350, withArrow: true } },
    // Without this, its header would count as a second header of the page.
    Modal: { defaultProps: { attributes: { header: { role: 'none' } } } },
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray' } },
  },
});
