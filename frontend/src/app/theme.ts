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

export const theme = createTheme({
  primaryColor: 'mend',
  // White on it, and it on white, can be read: 5.2 to 1.
  primaryShade: { light: 7, dark: 7 },
  colors: { mend: TEAL },
  defaultRadius: 'md',
  cursorType: 'pointer',
  fontFamily:
    'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei", sans-serif',
  respectReducedMotion: true,
  headings: { fontWeight: '600' },
  components: {
    Tooltip: { defaultProps: { openDelay: 350, withArrow: true } },
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray' } },
  },
});
