import { Select } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useInfo } from '../state/hooks';
import { fieldsWithoutControl, type RecipeForm, recipeOf, settingsOf } from '../state/recipes';
import { useSettings } from '../state/services';

/** Fills the options with those of a recipe, if the service has any; all of them can be changed afterwards. */
export function RecipeSelect<Values extends object>({ form }: { form: RecipeForm<Values> }) {
  const { t } = useTranslation();
  const [settings, change] = useSettings(form.part);
  const recipes = (useInfo().data?.recipes ?? []).filter(({ task }) => task === form.task);
  if (recipes.length === 0) return null;
  return (
    <Select
      label={t('options.recipe')}
      placeholder={t('options.noRecipe')}
      data={recipes.map((recipe) => {
        const fields = fieldsWithoutControl(form, recipe);
        const label =
          fields.length === 0
            ? recipe.name
            : t('options.recipeElsewhere', { name: recipe.name, fields: fields.join(', ') });
        return { value: recipe.name, label, disabled: fields.length > 0 };
      })}
      value={recipeOf(form, recipes, settings)?.name ?? null}
      allowDeselect={false}
      onChange={(name) => {
        const recipe = recipes.find((each) => each.name === name);
        if (recipe) change(settingsOf(form, recipe));
      }}
    />
  );
}
