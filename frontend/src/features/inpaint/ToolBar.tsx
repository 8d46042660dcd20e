import { ActionIcon, Tooltip } from '@mantine/core';
import {
  IconArrowBackUp,
  IconArrowForwardUp,
  IconBrush,
  IconEraser,
  IconHandStop,
  IconLasso,
  IconRectangle,
} from '@tabler/icons-react';
import { useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import type { MaskEditor } from './mask/editor';
import classes from './Inpaint.module.css';
import { type Tool, TOOL_KEYS, TOOLS } from './tools';

const ICONS: Record<Tool, typeof IconBrush> = {
  brush: IconBrush,
  eraser: IconEraser,
  rectangle: IconRectangle,
  lasso: IconLasso,
  hand: IconHandStop,
};

interface Props {
  editor: MaskEditor;
  tool: Tool;
  onTool: (tool: Tool) => void;
}

export function ToolBar({ editor, tool, onTool }: Props) {
  const { t } = useTranslation();
  useSyncExternalStore(editor.subscribe, editor.revision);
  const steps = [
    { label: t('inpaint.undo'), Icon: IconArrowBackUp, act: () => editor.undo(), can: editor.canUndo },
    { label: t('inpaint.redo'), Icon: IconArrowForwardUp, act: () => editor.redo(), can: editor.canRedo },
  ];
  return (
    <div className={`pm-card ${classes.tools}`} role="toolbar" aria-label={t('inpaint.tools')}>
      {TOOLS.map((name) => {
        const Icon = ICONS[name];
        const isOn = name === tool;
        return (
          <Tooltip
            key={name}
            label={`${t(`inpaint.${name}`)} (${TOOL_KEYS[name].toUpperCase()})`}
            position="right"
          >
            <ActionIcon
              size={40}
              variant={isOn ? 'light' : 'subtle'}
              color={isOn ? 'mend' : 'gray'}
              aria-label={t(`inpaint.${name}`)}
              aria-pressed={isOn}
              onClick={() => onTool(name)}
            >
              <Icon size={21} stroke={1.6} />
            </ActionIcon>
          </Tooltip>
        );
      })}
      <span className={classes.rule} />
      {steps.map(({ label, Icon, act, can }) => (
        <Tooltip key={label} label={label} position="right">
          <ActionIcon size={40} aria-label={label} disabled={!can} onClick={act} bg="transparent">
            <Icon size={21} stroke={1.6} />
          </ActionIcon>
        </Tooltip>
      ))}
    </div>
  );
}
