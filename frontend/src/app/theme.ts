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

/** As the surfaces of base.css, so that fields and menus are of the same grey. */
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
  // White on it, and it on white, can be read: 5.2 to 1.
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
    // Its header would count as a second one of the page.
    Modal: { defaultProps: { attributes: { header: { role: 'none' } } } },
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray' } },
  },
});
