// Runs before every test file: a database transaction that begins inside another fails where the mistake is.
import { watchForNestedWorks } from '../../src/db/nested-works.ts';

watchForNestedWorks();
