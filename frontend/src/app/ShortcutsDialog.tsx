import { Kbd, Modal, Table, Title } from '@mantine/core';
import { useTranslation } from 'react-i18next';

const GROUPS = {
  everywhere: [
    ['sections', 'Alt 1 · Alt 2 · Alt 3'],
    ['help', '?'],
    ['open', 'O'],
    ['paste', 'Ctrl V'],
    ['start', 'Ctrl Enter'],
    ['save', 'Ctrl S'],
    ['zoom', '+ · −'],
    ['fit', '0 · 1'],
    ['pan', '← ↑ → ↓'],
  ],
  enlarge: [
    ['previousNext', 'J · K'],
    ['remove', 'Delete'],
    ['slider', '← · →'],
  ],
  erase: [
    ['tools', 'B · E · R · L · H'],
    ['brush', '[ · ]'],
    ['undo', 'Ctrl Z · Ctrl Shift Z'],
    ['invert', 'I'],
    ['takeAway', 'Alt'],
    ['space', 'Space'],
    ['original', 'V'],
  ],
} as const;

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
      {(Object.keys(GROUPS) as (keyof typeof GROUPS)[]).map((group) => (
        <section key={group}>
          <Title order={3} size="sm" mt="sm" mb={4}>
            {t(`shortcuts.${group}`)}
          </Title>
          <Table verticalSpacing={4} withRowBorders={false}>
            <Table.Tbody>
              {GROUPS[group].map(([name, keys]) => (
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
      ))}
    </Modal>
  );
}
