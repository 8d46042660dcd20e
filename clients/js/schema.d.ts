// The types that the web app has of the API, written by `npm run api` in frontend/. If this folder is copied elsewhere, that
// file takes this one's place.
export type * from '../../frontend/src/api/schema';
