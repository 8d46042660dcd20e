import { Fragment } from 'react';
import classes from './System.module.css';

export function Facts({ facts }: { facts: readonly [string, string | number][] }) {
  return (
    <dl className={classes.facts}>
      {facts.map(([name, value]) => (
        <Fragment key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </Fragment>
      ))}
    </dl>
  );
}
