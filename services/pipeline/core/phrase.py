"""Sentences for people that no rulebook holds, in the companies' languages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

DEFAULT_LANGUAGE = "en"

PHRASES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "filled": "fill in: {what}",
        "filled_some": "fill in at least {number} of: {what}",
        "given": "say: {what}",
        "attempts": "attempts to reach the contact: {what}",
        "each_known": "on every known channel",
        "contacts": "exchanges with the contact: {what}",
        "elapsed": "wait until {what}",
        "too_late": "that was possible until {what}",
        "task_open": "an open task: {what}",
        "task_completed": "a completed task: {what}",
        "message_sent": "send first: {what}",
        "message_opened": "opened by the contact: {what}",
        "document": "a document on the lead: {what}",
        "date": "a date such as 2026-03-02",
        "number": "a number",
        "url": "a link that begins with https://",
        "evidence_says": "{name} is no document and no letter of this lead.",
        "evidence": "the id of one of: {what}",
        "contact": "a phone, an e-mail or a company",
        "files": "fill in first: {what}",
        "files_says": "What goes along with the letter depends on {what}.",
        "to_contact_says": "«{name}» is written to agents.",
        "to_contact": "one of: {what}",
        "appointment_says": "The lead has no appointment.",
        "appointment": "an appointment: book one first",
        "booked_says": "The lead has an appointment already: {what}.",
        "booked": "move that appointment, or cancel it first",
        "missed_says": "The appointment is still to come: {what}.",
        "start_says": "{what} is past.",
        "start": "a time to come",
        "closed_says": "The lead is open.",
        "acknowledged_says": "The lead is taken up already.",
        "acknowledged": "nothing: {what} has taken it up",
        "duplicate_says": "There is no other lead «{name}».",
        "duplicate": "the number of the same person's other lead",
        "closed": "a closed lead",
        "by": "only for: {what}",
        "is": "{what}",
        "not": "not: {what}",
        "or": " or ",
        "at_least": "at least {number}",
        "at_most": "at most {number}",
        "exactly": "exactly {number}",
        "known_says": "There is no {kind} called «{name}».",
        "known": "instead of «{name}» one of: {what}",
        "value_says": "{field} cannot be {value}.",
        "value": "instead of «{name}» one of: {what}",
        "point_says": "{value} cannot be used to reach anybody.",
        "point": "a complete phone number or e-mail address",
        "open_says": "The lead is closed.",
        "open": "an open lead; a closed one takes notes, fields and finished tasks",
        "next_says": "The lead cannot go from {left} to {stage}.",
        "next": "from here it can go to: {what}",
        "task_in_hand_says": "The lead has no open task {name}.",
        "task_in_hand": "open tasks: {what}",
        "by_hand": "by hand",
        "any_task": "any",
        "nothing": "none",
        "foreign_point": "{value} also belongs to another contact ({leads}): check whether it is "
        "the same person.",
    },
    "ru": {
        "filled": "заполните: {what}",
        "filled_some": "заполните не меньше {number} из: {what}",
        "given": "укажите: {what}",
        "attempts": "попытки связаться: {what}",
        "each_known": "по каждому известному каналу",
        "contacts": "разговоры с клиентом: {what}",
        "elapsed": "подождите до {what}",
        "too_late": "это было возможно до {what}",
        "task_open": "нужна открытая задача: {what}",
        "task_completed": "нужна выполненная задача: {what}",
        "message_sent": "сначала отправьте: {what}",
        "message_opened": "клиент должен открыть: {what}",
        "document": "документ в карточке: {what}",
        "date": "дата, например 2026-03-02",
        "number": "число",
        "url": "ссылка, которая начинается с https://",
        "evidence_says": "«{name}» — это не документ и не письмо этой сделки.",
        "evidence": "идентификатор одного из: {what}",
        "contact": "телефон, e-mail или компания",
        "files": "сначала заполните: {what}",
        "files_says": "Что вложить в письмо, зависит от поля «{what}».",
        "to_contact_says": "Шаблон «{name}» — для сотрудников.",
        "to_contact": "один из: {what}",
        "appointment_says": "В сделке нет назначенной встречи.",
        "appointment": "встреча: сначала назначьте её",
        "booked_says": "В сделке уже назначена встреча: {what}.",
        "booked": "перенесите эту встречу или сначала отмените её",
        "missed_says": "Встреча ещё впереди: {what}.",
        "start_says": "{what} уже прошло.",
        "start": "время в будущем",
        "closed_says": "Сделка открыта.",
        "acknowledged_says": "Сделка уже взята в работу.",
        "acknowledged": "ничего не нужно: её взял(а) {what}",
        "duplicate_says": "Другой сделки «{name}» нет.",
        "duplicate": "номер другой сделки того же человека",
        "closed": "закрытая сделка",
        "by": "это может сделать: {what}",
        "is": "{what}",
        "not": "не должно быть так: {what}",
        "or": " или ",
        "at_least": "не меньше {number}",
        "at_most": "не больше {number}",
        "exactly": "ровно {number}",
        "known_says": "«{name}» ({kind}) не существует.",
        "known": "вместо «{name}» выберите из: {what}",
        "value_says": "Поле «{field}» не может быть «{value}».",
        "value": "вместо «{name}» выберите из: {what}",
        "point_says": "По «{value}» ни с кем не связаться.",
        "point": "полный номер телефона или адрес e-mail",
        "open_says": "Сделка закрыта.",
        "open": "нужна открытая сделка; в закрытой можно писать заметки, заполнять поля и "
        "завершать задачи",
        "next_says": "Сделку нельзя перевести с этапа «{left}» на этап «{stage}».",
        "next": "отсюда можно перевести на: {what}",
        "task_in_hand_says": "В сделке нет открытой задачи «{name}».",
        "task_in_hand": "открытые задачи: {what}",
        "by_hand": "заведена вручную",
        "any_task": "любая",
        "nothing": "нет",
        "foreign_point": "{value} есть и у другого контакта ({leads}): проверьте, не один ли это "
        "человек.",
    },
    "fr": {
        "filled": "à renseigner : {what}",
        "filled_some": "à renseigner, au moins {number} parmi : {what}",
        "given": "à préciser : {what}",
        "attempts": "tentatives de contact : {what}",
        "each_known": "sur chaque canal connu",
        "contacts": "échanges avec le contact : {what}",
        "elapsed": "attendre jusqu'au {what}",
        "too_late": "c'était possible jusqu'au {what}",
        "task_open": "il faut une tâche ouverte : {what}",
        "task_completed": "il faut une tâche terminée : {what}",
        "message_sent": "à envoyer d'abord : {what}",
        "message_opened": "le contact doit avoir ouvert : {what}",
        "document": "un document dans la fiche : {what}",
        "date": "une date comme 2026-03-02",
        "number": "un nombre",
        "url": "un lien qui commence par https://",
        "evidence_says": "« {name} » n'est ni un document ni un courriel de cette fiche.",
        "evidence": "l'identifiant de : {what}",
        "contact": "un téléphone, un e-mail ou une société",
        "files": "à renseigner d'abord : {what}",
        "files_says": "Ce qui est joint au courriel dépend de « {what} ».",
        "to_contact_says": "« {name} » s'adresse aux conseillers.",
        "to_contact": "à choisir parmi : {what}",
        "appointment_says": "La fiche n'a pas de rendez-vous.",
        "appointment": "un rendez-vous : à prendre d'abord",
        "booked_says": "La fiche a déjà un rendez-vous : {what}.",
        "booked": "déplacer ce rendez-vous, ou l'annuler d'abord",
        "missed_says": "Le rendez-vous est encore à venir : {what}.",
        "start_says": "{what} est passé.",
        "start": "une heure à venir",
        "closed_says": "La fiche est ouverte.",
        "acknowledged_says": "La fiche est déjà rentrée.",
        "acknowledged": "rien : {what} l'a rentrée",
        "duplicate_says": "Il n'y a pas d'autre fiche « {name} ».",
        "duplicate": "le numéro de l'autre fiche du même prospect",
        "closed": "une fiche classée",
        "by": "réservé à : {what}",
        "is": "{what}",
        "not": "il ne faut pas : {what}",
        "or": " ou ",
        "at_least": "au moins {number}",
        "at_most": "au plus {number}",
        "exactly": "exactement {number}",
        "known_says": "« {name} » ({kind}) n'existe pas.",
        "known": "au lieu de « {name} », à choisir parmi : {what}",
        "value_says": "Le champ « {field} » ne peut pas être « {value} ».",
        "value": "au lieu de « {name} », à choisir parmi : {what}",
        "point_says": "« {value} » ne permet de joindre personne.",
        "point": "un numéro de téléphone ou une adresse e-mail complets",
        "open_says": "La fiche est classée.",
        "open": "une fiche ouverte ; une fiche classée accepte notes, champs et fins de tâche",
        "next_says": "La fiche ne peut pas passer de « {left} » à « {stage} ».",
        "next": "d'ici elle peut aller à : {what}",
        "task_in_hand_says": "La fiche n'a pas de tâche ouverte « {name} ».",
        "task_in_hand": "tâches ouvertes : {what}",
        "by_hand": "saisie à la main",
        "any_task": "une tâche",
        "nothing": "aucune",
        "foreign_point": "{value} appartient aussi à un autre contact ({leads}) : vérifiez s'il "
        "s'agit de la même personne.",
    },
}

NOUNS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "field": "field",
        "code": "attempt code",
        "outcome": "outcome",
        "stage": "stage",
        "task": "task",
        "reason": "reason",
        "agent": "agent",
        "team": "team",
        "note": "note",
        "to": "recipient",
        "channel": "channel",
        "document": "document",
        "template": "template",
        "pipeline": "pipeline",
        "source": "source",
        "evidence": "evidence",
        "sent": "sent",
        "returned": "returned",
        "signed": "signed",
        "received": "received",
    },
    "ru": {
        "field": "поле",
        "code": "код попытки",
        "outcome": "итог",
        "stage": "этап",
        "task": "задача",
        "reason": "причина отказа",
        "agent": "сотрудник",
        "team": "команда",
        "note": "заметка",
        "to": "кому",
        "channel": "канал",
        "document": "документ",
        "template": "шаблон",
        "pipeline": "воронка",
        "source": "источник",
        "evidence": "подтверждение",
        "sent": "отправлен",
        "returned": "возвращён",
        "signed": "подписан",
        "received": "получен",
    },
    "fr": {
        "field": "champ",
        "code": "code d'action",
        "outcome": "résultat",
        "stage": "étape",
        "task": "tâche",
        "reason": "motif",
        "agent": "conseiller",
        "team": "équipe",
        "note": "note",
        "to": "destinataire",
        "channel": "canal",
        "document": "document",
        "template": "modèle",
        "pipeline": "pipeline",
        "source": "source",
        "evidence": "preuve",
        "sent": "envoyé",
        "returned": "revenu",
        "signed": "signé",
        "received": "reçu",
    },
}
"""What arguments of an action, and the things they name, are called."""


class Phrases:
    """The sentences of one language; English where a language has none."""

    def __init__(self, language: str) -> None:
        self._table = PHRASES.get(language, PHRASES[DEFAULT_LANGUAGE])
        self._nouns = NOUNS.get(language, NOUNS[DEFAULT_LANGUAGE])

    def say(self, key: str, what: Iterable[str] | str = (), **values: object) -> str:
        """The sentence `key`, with a list or a text in the place of `what`."""
        listed = what if isinstance(what, str) else ", ".join(what) or self._table["nothing"]
        return self._table[key].format(what=listed, **values)

    def noun(self, name: str) -> str:
        """What an argument is called; one without a name of its own is shown as it is."""
        return self._nouns.get(name, name)

    def bounds(self, at_least: object, at_most: object, exactly: object = None) -> str:
        """`at least 3`, `exactly 2`, `at least 1, at most 4`."""
        given = {"exactly": exactly, "at_least": at_least, "at_most": at_most}
        return ", ".join(
            self.say(key, number=number) for key, number in given.items() if number is not None
        )

    def date(self, day: date) -> str:
        """A local date as this language writes it."""
        return f"{day:%d/%m/%Y}" if self._table is PHRASES["fr"] else f"{day:%d.%m.%Y}"

    def foreign_point(self, value: str, numbers: Sequence[str]) -> str:
        """The note about a contact point that somebody else has too."""
        return self.say("foreign_point", value=value, leads=", ".join(f"№{n}" for n in numbers))


def shown(instant: datetime) -> str:
    """A local instant for people."""
    return f"{instant:%d.%m.%Y %H:%M}"
