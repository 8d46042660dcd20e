/** Named sets of options, which the operator of a service wrote, as settings of the page. */

import type { components } from '../api/schema';
import type { SettingsPart } from './settings';

export type Recipe = components['schemas']['RecipeInfo'];

/** Where a part of the settings has the fields of a task's form. */
export interface RecipeForm<Values extends object> {
  task: string;
  part: SettingsPart<Values>;
  /** By the fields' names. */
  settings: Readonly<Record<string, keyof Values & string>>;
  /** Chooses between a factor and exact pixels. */
  sizing: (isExact: boolean) => Partial<Values>;
}

/** The fields of a recipe for which the page has no control, or not with that value. */
export function fieldsWithoutControl<Values extends object>(
  form: RecipeForm<Values>,
  recipe: Recipe,
): string[] {
  return Object.keys(recipe.fields).filter((field) => read(form, recipe, field) === undefined);
}

/** All settings of the part: what the recipe does not name is as it is by default. */
export function settingsOf<Values extends object>(form: RecipeForm<Values>, recipe: Recipe): Values {
  const filled = Object.keys(recipe.fields).map((field) => [
    form.settings[field],
    read(form, recipe, field)?.value,
  ]);
  const isExact = ['width', 'height'].some((field) => recipe.fields[field] !== undefined);
  return {
    ...form.part.defaults,
    ...form.sizing(isExact),
    ...(Object.fromEntries(filled) as Partial<Values>),
  };
}

/** The recipe that the settings say, until one of them is changed; null if they say none. */
export function recipeOf<Values extends object>(
  form: RecipeForm<Values>,
  recipes: readonly Recipe[],
  values: Values,
): Recipe | null {
  const isSaid = (recipe: Recipe) =>
    fieldsWithoutControl(form, recipe).length === 0 &&
    Object.entries(settingsOf(form, recipe)).every(
      ([name, value]) => values[name as keyof Values] === (value as unknown),
    );
  return recipes.find(isSaid) ?? null;
}

/** A number may be written as a text, as in any form. */
function read<Values extends object>(form: RecipeForm<Values>, recipe: Recipe, field: string) {
  const setting = form.settings[field];
  const given = recipe.fields[field];
  if (setting === undefined) return undefined;
  const isValid = form.part.valid[setting];
  const value = [given, typeof given === 'string' ? Number(given) : given].find((each) => isValid(each));
  return value === undefined ? undefined : { value };
}
