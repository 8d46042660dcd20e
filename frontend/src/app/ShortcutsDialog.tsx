import { Kbd, Modal, Table, Title } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Feature } from '../state/feature';
import { FEATURES } from './features';

const EVERYWHERE: Feature['shortcuts'] = [
  ['sections', FEATURES.map((_, n) => `Alt ${n + 1}`).join(' · ')],
  ['help', '?'],
  ['open', 'O'],
  ['paste', 'Ctrl V'],
  ['start', 'Ctrl Enter'],
  ['save', 'Ctrl S'],
  ['zoom', '+ · −'],
  ['fit', '0 · 1'],
  ['pan', '← ↑ → ↓'],
];

export default function ShortcutsDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('shortcuts.title')}
      size="md"
      closeButtonProps={{ 'aria-label': t('app.close') }}
    >
      <Group title={t('shortcuts.everywhere')} shortcuts={EVERYWHERE} />
      {FEATURES.filter(({ shortcuts }) => shortcuts.length > 0).map(({ id, titleKey, shortcuts }) => (
        <Group key={id} title={t(titleKey)} shortcuts={shortcuts} />
      ))}
    </Modal>
  );
}

function Group({ title, shortcuts }: { title: string; shortcuts: Feature['shortcuts'] }) {
  const { t } = useTranslation();
  return (
    <section>
      <Title order={3} size="sm" mt="sm" mb={4}>
        {title}
      </Title>
      <Table verticalSpacing={4} withRowBorders={false}>
        <Table.Tbody>
          {shortcuts.map(([name, keys]) => (
            <Table.Tr key={name}>
              <Table.Td>{t(`shortcuts.${name}`)}</Table.Td>
              <Table.Td ta="right" style={{ whiteSpace: 'nowrap' }}>
                {keys.split(' · ').map((key) => (
                  <Kbd key={key} ml={4}>
                    {key}
                  </Kbd>
                ))}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </section>
  );
}
