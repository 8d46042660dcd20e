import { expect, test } from './app';

interface Management {
  settings: Record<string, { value: number | boolean }>;
}

test('memory is managed from the page', { tag: '@daily' }, async ({ app, page, service }) => {
  await app.open(service, 'system');
  const value = async (name: string) =>
    (await service.get<Management>('/api/management')).settings[name]?.value;

  const card = page.getByTestId('management');
  const threshold = card.getByLabel('Clean up above');
  const apply = card.getByRole('button', { name: 'Apply' });
  await expect(threshold).toHaveValue('85 %');
  await expect(apply).toBeDisabled();
  await threshold.fill('120');
  await expect(card).toContainText('A number above 0, up to 100.');
  await expect(apply).toBeDisabled();
  await threshold.fill('70');
  await card.getByRole('switch', { name: 'Clean up when memory is short', exact: true }).click();
  await apply.click();
  await expect(card).toContainText('Configured: 85');
  expect([await value('cleanup_threshold_percent'), await value('auto_cleanup_enabled')]).toEqual([
    70,
    false,
  ]);

  const models = page.getByTestId('models');
  const row = (id: string) => page.locator(`[data-model="${id}"]`);
  await models.getByRole('checkbox', { name: 'pixelmend-x2' }).check();
  await models.getByRole('checkbox', { name: 'pixelmend-x4', exact: true }).check();
  await page.getByRole('button', { name: 'Load: 2 selected', exact: true }).click();
  await expect(row('pixelmend-x2')).toContainText('Loaded · ');

  const form = page.getByRole('form', { name: 'New profile' });
  await form.getByLabel('Name (letters, digits, dots, hyphens)').fill('night');
  await form.getByLabel('Priority: pixelmend-x2').fill('3');
  await form.getByRole('button', { name: 'Make the profile', exact: true }).click();
  await page.getByRole('button', { name: 'Preload: night', exact: true }).click();
  await expect(row('pixelmend-x2')).toContainText('kept by profile night');

  await page.getByRole('button', { name: 'Free memory', exact: true }).click();
  await expect(page.getByText(/In use or kept: .*pixelmend-x2/)).toBeVisible();
  await page.getByRole('button', { name: 'Remove: night', exact: true }).click();
  await expect(page.getByText('There are no profiles yet.')).toBeVisible();
  await page.getByRole('button', { name: 'Unload all models', exact: true }).click();
  await expect(row('pixelmend-x2')).toContainText('Not loaded');

  // The other tests have the same service.
  await threshold.fill('85');
  await card.getByRole('switch', { name: 'Clean up when memory is short', exact: true }).click();
  await apply.click();
  await expect(card).not.toContainText('Configured:');
});
