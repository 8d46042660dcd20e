import { ANIMATION_FORMATS, FILM_SUFFIXES } from '../api/constants';

/** HEIC is named because some systems do not count it among the images. */
const IMAGES = 'image/*,.heic,.heif';
const ANIMATIONS = Object.values(ANIMATION_FORMATS).map(({ mediaType }) => mediaType);
/** Some systems know few of the kinds of films. Animated images count as films; the usual name of an animated PNG is `.png`. */
const FILMS = ['video/*', ...ANIMATIONS, 'image/png', ...FILM_SUFFIXES].join();

/** Opens the system's file dialog. */
export function pickFiles(onPicked: (files: File[]) => void): void {
  open(IMAGES, true, onPicked);
}

export function pickFile(onPicked: (file: File) => void): void {
  open(IMAGES, false, ([file]) => file && onPicked(file));
}

export function pickFilms(onPicked: (files: File[]) => void): void {
  open(FILMS, true, onPicked);
}

function open(accepted: string, isMultiple: boolean, onPicked: (files: File[]) => void): void {
  const input = document.createElement('input');
  input.type = 'file';
  input.multiple = isMultiple;
  input.accept = accepted;
  input.onchange = () => onPicked([...(input.files ?? [])]);
  input.click();
}
