import { Button, NumberInput, Select, Switch, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { messageOf } from '../../lib/message';
import { useServices } from '../../state/services';
import { MessageText } from '../../ui/MessageText';
import { EMPTY, NO_PLACE, type Placement, profileBody } from './profileDraft';
import classes from './System.module.css';

interface Props {
  /** Those that are selected in the list of models. */
  models: readonly string[];
  devices: readonly string[];
}

/** Makes a profile of the selected models, with a device and a priority for each. */
export function ProfileForm({ models, devices }: Props) {
  const { t } = useTranslation();
  const { api } = useServices();
  const cache = useQueryClient();
  const [draft, setDraft] = useState(EMPTY);
  const body = profileBody(draft, models);
  const make = useMutation({
    mutationFn: () => (body ? api.putProfile(draft.name, body) : Promise.reject(new Error())),
    onSuccess: () => setDraft(EMPTY),
    onSettled: () => cache.invalidateQueries({ queryKey: ['service'] }),
  });
  const placeOf = (model: string) => draft.placements[model] ?? NO_PLACE;
  const place = (model: string, change: Partial<Placement>) =>
    setDraft({ ...draft, placements: { ...draft.placements, [model]: { ...placeOf(model), ...change } } });
  if (models.length === 0) return <p className={classes.empty}>{t('system.selectForProfile')}</p>;
  return (
    <form
      className={classes.form}
      aria-label={t('system.newProfile')}
      onSubmit={(event) => {
        event.preventDefault();
        if (body) make.mutate();
      }}
    >
      {make.isError && (
        <p className={classes.failure} role="alert">
          <MessageText message={messageOf(make.error)} />
        </p>
      )}
      <TextInput
        size="sm"
        label={t('system.profileName')}
        value={draft.name}
        maxLength={64}
        onChange={(event) => setDraft({ ...draft, name: event.currentTarget.value })}
      />
      {models.map((model) => (
        <fieldset key={model} className={classes.placement}>
          <legend>{model}</legend>
          <Select
            size="xs"
            aria-label={t('system.modelAction', { action: t('system.device'), id: model })}
            value={placeOf(model).device}
            onChange={(device) => place(model, { device: device ?? '' })}
            data={[
              { value: '', label: t('system.anyDevice') },
              ...[...new Set(devices)].map((device) => ({ value: device, label: device })),
            ]}
          />
          <NumberInput
            size="xs"
            aria-label={t('system.modelAction', { action: t('system.priorityLabel'), id: model })}
            value={placeOf(model).priority}
            allowDecimal={false}
            prefix={t('system.priorityPrefix')}
            onChange={(priority) => place(model, { priority })}
          />
        </fieldset>
      ))}
      <Switch
        size="sm"
        label={t('system.preloadAtStart')}
        checked={draft.preload}
        onChange={(event) => setDraft({ ...draft, preload: event.currentTarget.checked })}
      />
      <Button type="submit" size="compact-md" disabled={!body} loading={make.isPending}>
        {t('system.makeProfile')}
      </Button>
    </form>
  );
}
