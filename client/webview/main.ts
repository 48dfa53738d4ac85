/** Entry of the trace panel's page. */
import { App } from './app';
import { connect } from './host';
import './styles/panel.css';

new App(connect(), document.body);
