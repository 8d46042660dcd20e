import { pickFilms } from '../../files/pick';
import type { Services } from '../../state/services';

export function addFilms({ filmRunner }: Services, files: readonly File[]): void {
  for (const file of files) filmRunner.add(file, file.name || 'film.mp4');
}

/** Asks the user for films. */
export function pickAndAdd(services: Services): void {
  pickFilms((files) => addFilms(services, files));
}
