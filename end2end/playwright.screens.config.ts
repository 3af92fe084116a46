import { defineConfig } from '@playwright/test';
import tests from './playwright.config';

// The same studio and the same browsers as the tests have, to take pictures of.
const scripted = (tests.projects ?? []).filter((project) => project.name !== 'nojs');
export default defineConfig({ ...tests, testDir: 'screens', projects: scripted, reporter: [['list']] });
