"""How far surveyors agree: a part of a survey scored a second time, blind, and compared."""
