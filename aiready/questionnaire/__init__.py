"""The questionnaire out: one statement of what is asked, and how each survey tool takes it."""

from aiready.questionnaire.questions import Choice, Question, Questionnaire, questionnaire

__all__ = ["Choice", "Question", "Questionnaire", "questionnaire"]
