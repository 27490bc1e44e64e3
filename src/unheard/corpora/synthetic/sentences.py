"""What is said: everyday sentences that carry no emotion of their own, in each language."""

from __future__ import annotations

from typing import NamedTuple


class Sentences(NamedTuple):
    """The script that every speaker of a language reads, and what is drawn from for improvised turns."""

    scripted: tuple[str, ...]
    improvised: tuple[str, ...]


SENTENCES = {
    "en": Sentences(
        scripted=(
            "The train to the coast leaves at half past nine.",
            "I put the letters on the table in the hall.",
            "They painted the kitchen door last weekend.",
            "She takes the same road to work every day.",
            "The shop around the corner opens at ten.",
            "We moved the shelf to the other wall.",
            "He left his umbrella in the car again.",
            "There are eleven chairs in the meeting room.",
        ),
        improvised=(
            "So I told them we would come on Thursday.",
            "And then the neighbour walked in with two bags.",
            "You know that we spoke about this yesterday.",
            "I think the blue one is still upstairs.",
            "Well, it was the last house on the left.",
            "They asked me what time the bus arrives.",
            "It must have been around four in the afternoon.",
            "My brother called while I was making tea.",
            "Maybe we can look at the pictures later.",
            "I had no idea that you lived here.",
            "The man at the counter gave me this form.",
            "Now we wait until somebody opens the gate.",
        ),
    ),
    "de": Sentences(
        scripted=(
            "Der Zug nach Norden fährt um halb neun.",
            "Die Briefe liegen auf dem Tisch im Flur.",
            "Am Samstag haben sie die Tür gestrichen.",
            "Sie nimmt jeden Morgen denselben Weg.",
            "Der Laden an der Ecke öffnet um zehn.",
            "Wir haben das Regal an die andere Wand gestellt.",
            "Er hat seinen Schirm im Auto gelassen.",
            "Im Sitzungsraum stehen elf Stühle.",
        ),
        improvised=(
            "Also habe ich gesagt, wir kommen am Donnerstag.",
            "Und dann kam der Nachbar mit zwei Taschen herein.",
            "Darüber haben wir doch gestern gesprochen.",
            "Ich glaube, das blaue ist noch oben.",
            "Es war das letzte Haus auf der linken Seite.",
            "Sie wollten wissen, wann der Bus ankommt.",
            "Das muss so gegen vier Uhr gewesen sein.",
            "Mein Bruder rief an, als ich Tee kochte.",
            "Die Bilder können wir uns später ansehen.",
            "Jetzt warten wir, bis jemand das Tor aufmacht.",
        ),
    ),
    "es": Sentences(
        scripted=(
            "El tren de la costa sale a las nueve.",
            "Las cartas están sobre la mesa de la entrada.",
            "El sábado pintaron la puerta de la cocina.",
            "Ella toma el mismo camino todos los días.",
            "La tienda de la esquina abre a las diez.",
            "Pusimos el estante en la otra pared.",
            "Él dejó su paraguas en el coche.",
            "Hay once sillas en la sala grande.",
        ),
        improvised=(
            "Entonces les dije que vamos el jueves.",
            "Y luego entró el vecino con dos bolsas.",
            "De eso ya hablamos ayer por la tarde.",
            "Creo que el azul está todavía arriba.",
            "Era la última casa a la izquierda.",
            "Me preguntaron a qué hora llega el autobús.",
            "Mi hermano llamó mientras yo hacía té.",
            "Las fotos las podemos mirar más tarde.",
            "Ahora esperamos hasta que abran el portón.",
        ),
    ),
    "fr": Sentences(
        scripted=(
            "Le train pour la côte part à neuf heures.",
            "Les lettres sont sur la table de l'entrée.",
            "Samedi, ils ont peint la porte de la cuisine.",
            "Elle prend le même chemin tous les jours.",
            "Le magasin du coin ouvre à dix heures.",
            "Nous avons mis l'étagère contre l'autre mur.",
            "Il a laissé son parapluie dans la voiture.",
            "Il y a onze chaises dans la grande salle.",
        ),
        improvised=(
            "Alors j'ai dit que nous venons jeudi.",
            "Et puis le voisin est entré avec deux sacs.",
            "On en a déjà parlé hier après-midi.",
            "Je crois que le bleu est encore en haut.",
            "C'était la dernière maison sur la gauche.",
            "Ils m'ont demandé quand le bus arrive.",
            "Mon frère a appelé pendant que je faisais du thé.",
            "Les photos, on peut les regarder plus tard.",
            "Maintenant, on attend que quelqu'un ouvre la grille.",
        ),
    ),
    "it": Sentences(
        scripted=(
            "Il treno per la costa parte alle nove.",
            "Le lettere sono sul tavolo all'ingresso.",
            "Sabato hanno dipinto la porta della cucina.",
            "Lei fa la stessa strada ogni giorno.",
            "Il negozio all'angolo apre alle dieci.",
            "Abbiamo messo lo scaffale sull'altra parete.",
            "Ha lasciato l'ombrello nella macchina.",
            "Ci sono undici sedie nella sala grande.",
        ),
        improvised=(
            "Allora ho detto che veniamo giovedì.",
            "E poi è entrato il vicino con due borse.",
            "Ne abbiamo già parlato ieri pomeriggio.",
            "Credo che quello blu sia ancora di sopra.",
            "Era l'ultima casa sulla sinistra.",
            "Mi hanno chiesto a che ora arriva l'autobus.",
            "Mio fratello ha chiamato mentre facevo il tè.",
            "Le fotografie le possiamo guardare più tardi.",
            "Adesso aspettiamo che qualcuno apra il cancello.",
        ),
    ),
}
