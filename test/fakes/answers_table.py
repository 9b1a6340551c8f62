"""Answers as language models write them, and how each is read: figures that a voice reads stay."""

# ruff: noqa: E501

ANSWERS = [
    (
        '**Today in Berlin:** 12 °C, light rain, wind 15–20 km/h from NW. Humidity: 85%.',
        'Today in Berlin: 12 degrees Celsius, light rain, wind 15 to 20 kilometers per hour from NW. Humidity: 85 percent.',
    ),
    (
        "It's currently 72°F (22°C) in Austin with a 30% chance of rain after 3 p.m.",
        "It's currently 72 degrees Fahrenheit (22 degrees Celsius) in Austin with a 30 percent chance of rain after 3 p.m.",
    ),
    (
        'Tomorrow: high of 5°, low of -2°. Expect 3–5 cm of snow overnight ❄️.',
        'Tomorrow: high of 5 degrees, low of minus 2 degrees. Expect 3 to 5 centimeters of snow overnight',
    ),
    (
        'UV index: 7/10 — wear SPF 30+ sunscreen!',
        'UV index: 7 out of 10 wear SPF 30 plus sunscreen!',
    ),
    (
        'Pressure is 1013 hPa and visibility is 10 km.',
        'Pressure is 1013 hectopascals and visibility is 10 kilometers.',
    ),
    ('Sunrise: 06:42, sunset: 20:15 (CEST).', 'Sunrise: 06:42, sunset: 20:15 (CEST).'),
    (
        '## Pancakes 🥞\n\n**Ingredients** (serves 4):\n- 1½ cups all-purpose flour\n- 3½ tsp baking powder\n- 1 tbsp sugar\n- 1¼ cups milk\n- 1 egg\n\n**Steps:**\n1. Mix the dry ingredients.\n2. Add milk & egg; whisk.\n3. Fry 2–3 min per side.',
        'Pancakes Ingredients (serves 4): 1 and a half cups all-purpose flour. 3 and a half teaspoons baking powder. 1 tablespoon sugar. 1 and one quarter cups milk. 1 egg. Steps: 1, Mix the dry ingredients. 2, Add milk and egg; whisk. 3, Fry 2 to 3 minutes per side.',
    ),
    (
        'Preheat the oven to 180 °C (350 °F) and bake for 25-30 min.',
        'Preheat the oven to 180 degrees Celsius (350 degrees Fahrenheit) and bake for 25 to 30 minutes.',
    ),
    (
        'Use a 2:1 ratio of water to rice, e.g. 2 cups water to 1 cup rice.',
        'Use a 2 to 1 ratio of water to rice, e.g. 2 cups water to 1 cup rice.',
    ),
    (
        'Add 1/4 tsp salt and 250 g butter (about 1 1/8 cups).',
        'Add one quarter teaspoon salt and 250 grams butter (about 1 and one eighth cups).',
    ),
    (
        'Simmer for 1 hr 15 min, then let it rest for 10 min.',
        'Simmer for 1 hour 15 minutes, then let it rest for 10 minutes.',
    ),
    (
        "For a 9×13-inch pan you'll need approx. 500 ml of batter.",
        "For a 9 by 13 inch pan you'll need approx. 500 milliliters of batter.",
    ),
    (
        'The answer is **3/8**, i.e. 0.375 or 37.5%.',
        'The answer is 3 eighths, i.e. 0.375 or 37.5 percent.',
    ),
    (
        'To solve $2x + 3 = 11$, subtract 3: $2x = 8$, so $x = 4$.',
        'To solve 2x plus 3 is 11, subtract 3: 2x equals 8, so x equals 4.',
    ),
    (
        'The area of a circle is \\( A = \\pi r^2 \\). For r = 5 cm, A ≈ 78.5 cm².',
        'The area of a circle is A equals pi r squared For r equals 5 centimeters, A is about 78.5 square centimeters.',
    ),
    ('12 × 12 = 144', '12 times 12 is 144'),
    ('15% of 80 is 0.15 × 80 = 12.', '15 percent of 80 is 0.15 times 80 is 12.'),
    (
        '√2 ≈ 1.414, and 2^10 = 1024.',
        'the square root of 2 is about 1.414, and 2 to the power of 10 is 1024.',
    ),
    ('$$\\frac{3}{4} + \\frac{1}{8} = \\frac{7}{8}$$', '3 quarters plus one eighth is 7 eighths'),
    ('5! = 120', '5 factorial equals 120'),
    ('The probability is 1/36 ≈ 2.8%.', 'The probability is 1 over 36 is about 2.8 percent.'),
    (
        'The next train to Hamburg leaves at 10:05 from platform 7 and arrives at 11:48.',
        'The next train to Hamburg leaves at 10:05 from platform 7 and arrives at 11:48.',
    ),
    (
        '| Line | Departs | Platform |\n|------|---------|----------|\n| S1   | 10:05   | 3        |\n| U6   | 10:12   | 1        |',
        'Line, Departs, Platform. S1, 10:05, 3. U6, 10:12, 1',
    ),
    (
        'Buses run every 10–15 min, Mon–Fri, 6:00–22:00.',
        'Buses run every 10 to 15 minutes, Monday to Friday, 6:00 to 22:00.',
    ),
    (
        'Flight LH 441 departs at 4:35 PM from gate B22 (terminal 1).',
        'Flight LH 441 departs at 4:35 PM from gate B22 (terminal 1).',
    ),
    (
        'Opening hours: Mon-Thu 9am-5pm, Fri 9am-1pm, Sat/Sun closed.',
        'Opening hours: Monday to Thursday 9am to 5pm, Friday 9am to 1pm, Saturday, Sunday closed.',
    ),
    (
        'Your total is $42.50 (incl. $3.50 tax).',
        'Your total is 42 dollars and 50 cents (incl. 3 dollars and 50 cents tax).',
    ),
    (
        'The laptop costs €1,299.99, down from €1.499,00.',
        'The laptop costs 1,299 euros and 99 cents, down from 1499 euros.',
    ),
    ("That's 2 for $5, or $2.99 each.", "That's 2 for 5 dollars, or 2 dollars and 99 cents each."),
    (
        'Price: ~$25–$30/person + 18% tip.',
        'Price: about 25 to 30 dollars per person plus 18 percent tip.',
    ),
    (
        'It\'s a 55" TV with 4K resolution, 120 Hz, and 3x HDMI 2.1.',
        "It's a 55 inch TV with 4K resolution, 120 hertz, and 3x HDMI 2.1.",
    ),
    ('1 USD = 0.92 EUR', '1 dollar equals 0.92 euros'),
    (
        'Turn left onto Main St. and go 0.5 mi, then take exit 12B.',
        'Turn left onto Main St. and go 0.5 miles, then take exit 12B.',
    ),
    ('Take I-95 N for 12 miles → exit 7.', 'Take I 95 N for 12 miles to exit 7.'),
    (
        "Head north for 200 m, then turn right. It's ≈5 min on foot.",
        "Head north for 200 meters, then turn right. It's about 5 minutes on foot.",
    ),
    ("It's at 48.8584° N, 2.2945° E.", "It's at 48.8584 degrees north, 2.2945 degrees east."),
    (
        'The office is at 221B Baker St., London NW1 6XE.',
        'The office is at 221B Baker St., London NW1 6XE.',
    ),
    ("It's on the 3rd floor, room 3.14.", "It's on the 3rd floor, room 3.14."),
    (
        'Real Madrid beat Barcelona 3–2 (2–1 at half-time).',
        'Real Madrid beat Barcelona 3 to 2 (2 to 1 at half-time).',
    ),
    ('She won 6-4, 7-6 (7-5).', 'She won 6 to 4, 7 to 6 (7 to 5).'),
    (
        'He ran the 100 m in 9.58 s — a world record!',
        'He ran the 100 meters in 9.58 seconds a world record!',
    ),
    (
        'Usain Bolt is 6\'5" (1.95 m) tall and weighs 94 kg.',
        'Usain Bolt is 6 feet 5 inches (1.95 meters) tall and weighs 94 kilograms.',
    ),
    ('The score is 21:19 in the 2nd set.', 'The score is 21 to 19 in the 2nd set.'),
    (
        'The Lakers (12-5) play the Bulls vs. odds of 3/1.',
        'The Lakers (12 to 5) play the Bulls vs. odds of 3 over 1.',
    ),
    (
        "NASA's Artemis II launched at 18:35 UTC on 1 April 2026.",
        "NASA's Artemis 2 launched at 18:35 UTC on 1 April 2026.",
    ),
    (
        'According to the U.N., over 8.2bn people live on Earth.',
        'According to the U.N., over 8.2 billion people live on Earth.',
    ),
    ('The vote passed 52–48.', 'The vote passed 52 to 48.'),
    ('Inflation fell to 2.1 % (Q2: 2.4 %).', 'Inflation fell to 2.1 percent (Q2: 2.4 percent).'),
    (
        'The fire burned 1,200 acres (≈ 490 ha).',
        'The fire burned 1,200 acres (about 490 hectares).',
    ),
    (
        'Run `pip install numpy` and then `import numpy as np`.',
        'Run pip install numpy and then import numpy as np.',
    ),
    (
        "Here's how:\n\n```python\nfor i in range(3):\n    print(i)\n```\n\nThis prints 0, 1 and 2.",
        "Here's how: This prints 0, 1 and 2.",
    ),
    (
        'Edit `~/.bashrc`, then run `source ~/.bashrc`.',
        'Edit tilde slash dot bashrc, then run source tilde slash dot bashrc.',
    ),
    (
        'The file is in /home/user/data.csv (2.5 MB).',
        'The file is in slash home slash user slash data dot csv (2.5 megabytes).',
    ),
    (
        'Use `x != None` or better `x is not None`.',
        'Use x is not equal to None or better x is not None.',
    ),
    (
        'Open http://localhost:8080/index.html in your browser.',
        'Open localhost 8080 in your browser.',
    ),
    (
        'Light travels at 299,792,458 m/s, about 3×10⁸ m/s.',
        'Light travels at 299,792,458 meters per second, about 3 times 10 to the power of 8 meters per second.',
    ),
    (
        'Water (H₂O) boils at 100°C at 1 atm.',
        'Water (H2O) boils at 100 degrees Celsius at 1 atmosphere.',
    ),
    (
        "An electron's mass is 9.11 × 10^-31 kg.",
        "An electron's mass is 9.11 times 10 to the power of minus 31 kilograms.",
    ),
    (
        'The battery is at 87 % (12.4 V, 3.2 A).',
        'The battery is at 87 percent (12.4 volts, 3.2 amps).',
    ),
    ('CO₂ levels reached 420 ppm in 2023.', 'C O 2 levels reached 420 parts per million in 2023.'),
    (
        'My IP is 192.168.1.42 and the port is 8080.',
        'My IP is 192 dot 168 dot 1 dot 42 and the port is 8080.',
    ),
    (
        'Sure! 😊 Here are *three* ideas:\n\n1. **Walk** – 30 min/day\n2. **Read** – 20 pages\n3. **Sleep** – 7-8 h',
        'Sure! Here are three ideas: 1, Walk 30 minutes per day. 2, Read 20 pages. 3, Sleep 7 to 8 hours',
    ),
    ("Note: I'm not a doctor[^1].\n\n[^1]: Ask one.", "Note: I'm not a doctor. Ask one."),
    (
        '> "Be yourself; everyone else is already taken."\n> — Oscar Wilde',
        '"Be yourself; everyone else is already taken." Oscar Wilde',
    ),
    ('- Fruit\n  - apples\n  - pears\n- Bread', 'Fruit. apples. pears. Bread'),
    (
        'Call 911 or +1 (800) 222-1222 (poison control).',
        'Call 9 1 1 or plus 1, 8 0 0, 2 2 2, 1 2 2 2 (poison control).',
    ),
    (
        'WWI lasted from 1914–1918; WWII from 1939–45.',
        'World War 1 lasted from 1914 to 1918; World War 2 from 1939 to 45.',
    ),
    (
        'King Charles III was born on 14 Nov. 1948.',
        'King Charles the third was born on 14 Nov. 1948.',
    ),
    (
        'The meeting is on Tue., Nov. 25 @ 10:30 a.m.',
        'The meeting is on Tuesday, Nov. 25 at 10:30 a.m.',
    ),
    ("It's 5 o'clock — time for tea ;-)", "It's 5 o'clock time for tea"),
    (
        'Shakespeare (1564–1616) wrote ~39 plays, incl. "Henry V".',
        'Shakespeare (1564 to 1616) wrote about 39 plays, incl. "Henry V".',
    ),
    ('Mt. Everest is 8,849 m (29,032 ft) high.', 'Mt. Everest is 8,849 meters (29,032 feet) high.'),
    (
        'The ISS orbits at ~400 km, at 7.66 km/s (27,600 km/h).',
        'The ISS orbits at about 400 kilometers, at 7.66 kilometers per second (27,600 kilometers per hour).',
    ),
    (
        "Earth's age: 4.54 ± 0.05 billion years.",
        "Earth's age: 4.54 plus or minus 0.05 billion years.",
    ),
    (
        'Dr. Lee, M.D., Ph.D., will see you in 5 min.',
        'Dr. Lee, M.D., Ph.D., will see you in 5 minutes.',
    ),
    ('Your order #10482 ships on 12/03.', 'Your order number 1 0 4 8 2 ships on December third.'),
    (
        "P.S. I'd try the café on 5th Ave. & 42nd St.",
        "P.S. I'd try the café on 5th Ave. and 42nd St.",
    ),
    ('I can lift up to 5kg/11lbs.', 'I can lift up to 5 kilograms, 11 pounds.'),
    (
        'Your ETA is 14:20, i.e. in 35 min (28 km).',
        'Your ETA is 14:20, i.e. in 35 minutes (28 kilometers).',
    ),
    ("It's a 10-minute walk or a 3-min drive.", "It's a 10 minute walk or a 3 minute drive."),
    (
        'The recipe needs 2 x 400 g tins of tomatoes.',
        'The recipe needs 2 times 400 gram tins of tomatoes.',
    ),
    ('In 1999/2000 they won the treble.', 'In 1999 2000 they won the treble.'),
    (
        'Windows 11 24H2 needs 4 GB RAM & TPM 2.0.',
        'Windows 11 24H2 needs 4 gigabyte RAM and TPM 2.0.',
    ),
    (
        'Temperature: 21.5 °C ↑ | Humidity: 45 % ↓',
        'Temperature: 21.5 degrees Celsius up Humidity: 45 percent down',
    ),
    ('The ratio is 1:2,000 on a 1:50 000 map.', 'The ratio is 1 to 2,000 on a 1 to 50,000 map.'),
    # units beside their like, sizes, angles, postal codes, other ways to write an amount
    ('A 5V/2A charger.', 'A 5 volt, 2 amp charger.'),
    ('5V / 2A', '5 volts 2 amps'),
    ('5V, 2A', '5 volts, 2 amps'),
    ('It needs 5V at 2A.', 'It needs 5 volts at 2 amps.'),
    ('Fuel: 6.5 l/100 km.', 'Fuel: 6.5 liters per 100 kilometers.'),
    ('6.5l/100km', '6.5 liters per 100 kilometers'),
    ('5 V/2 A', '5 volts, 2 amps'),
    ('18 kWh/100 km', '18 kilowatt hours per 100 kilometers'),
    ('The room is 3 m × 4 m.', 'The room is 3 meters by 4 meters.'),
    ('The room is 3m x 4m x 2.5m.', 'The room is 3 meters by 4 meters by 2.5 meters.'),
    ('3m x 4m', '3 meters by 4 meters'),
    ('It is 3m tall.', 'It is 3 meters tall.'),
    ('It is 1.8m long', 'It is 1.8 meters long'),
    ('2h 15m', '2 hours 15 minutes'),
    ('1h 5m 30s', '1 hour 5 minutes 30 seconds'),
    ('15m 30s', '15 minutes 30 seconds'),
    ('in 3.2s.', 'in 3.2 seconds.'),
    ('the 90s', 'the 90s'),
    ('6\' 2" tall', '6 feet 2 inches tall'),
    ('6\' 2"', '6 feet 2 inches'),
    ('5\' 11"', '5 feet 11 inches'),
    ('40° 26′ 46″ N', '40 degrees 26 minutes 46 seconds north'),
    (
        '40° 26\' 46" N, 79° 58\' 56" W',
        '40 degrees 26 minutes 46 seconds north, 79 degrees 58 minutes 56 seconds west',
    ),
    ('10 a.m. – 6 p.m.', '10 a.m. to 6 p.m.'),
    ('10 am - 6 pm', '10 am to 6 pm'),
    ('Order #A1234', 'Order number A 1234'),
    ('#robotics', 'hashtag robotics'),
    ('3x/day', '3 times per day'),
    ('2x daily', '2 times daily'),
    ('2x faster', '2 times faster'),
    ('300 hp and 5 yrs', '300 horsepower and 5 years'),
    ('a 100nF capacitor and 10 µF', 'a 100 nanofarad capacitor and 10 microfarads'),
    ('GMT-5', 'GMT minus 5'),
    ('UTC+2', 'UTC plus 2'),
    ('Washington, DC 20500.', 'Washington, DC 2 0 5 0 0.'),
    ('Springfield, IL 62704-1234', 'Springfield, IL 6 2 7 0 4, 1 2 3 4'),
    ('I paid US 20500.', 'I paid US 20,500.'),
    ('at 9.30pm', 'at 9:30pm'),
    ('at 9.30 pm.', 'at 9:30 pm.'),
    ('at 9.30 a.m. sharp', 'at 9:30 a.m. sharp'),
    ('It is 9.30 meters', 'It is 9.30 meters'),
    ('1.234,56 EUR', '1234.56 euros'),
    ('5 EUR', '5 euros'),
    ('1.000 EUR', '1,000 euros'),
    ('Mix 120 mg/5 ml', 'Mix 120 milligrams per 5 milliliters'),
    ('seat 12A', 'seat 12A'),
    ('from 3A to 5A', 'from 3A to 5A'),
    ('he said "6\' is tall"', 'he said "6\' is tall"'),
    ('Hello [pause] there.', 'Hello there.'),
    ('the list [2, 3]', 'the list 2, 3'),
    ('5 V/2 A', '5 volts, 2 amps'),
    ('1.000 EUR', '1,000 euros'),
    ('1.000 €', '1,000 euros'),
    ('€1.000', '1,000 euros'),
    ('1.000€', '1,000 euros'),
    ('(€1.500)', '(1,500 euros)'),
    ('€1.500,50', '1500 euros and 50 cents'),
    ('€1.500.', '1,500 euros.'),
]
