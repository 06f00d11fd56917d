using System.Text;

namespace LServe.Model;

/// <summary>Unicode normal form C: what can be one character becomes one, and combining marks get one order.</summary>
/// <remarks>Unicode Standard Annex #15; Hangul by section 3.12 of the standard.</remarks>
internal static class CanonicalComposition
{
    private const char FirstThatMayChange = '\u0300';
    private const int HangulBase = 0xAC00, LeadBase = 0x1100, VowelBase = 0x1161, TailBase = 0x11A7;
    private const int Leads = 19, Vowels = 21, Tails = 28;

    /// <summary>True if the text is surely composed; false if it has to be looked at.</summary>
    public static bool IsComposed(ReadOnlySpan<char> text) => !text.ContainsAnyInRange(FirstThatMayChange, '\uFFFF');

    public static string Compose(ReadOnlySpan<char> text)
    {
        var data = CanonicalData.Instance;
        var characters = new List<int>(text.Length);
        foreach (var rune in text.EnumerateRunes()) Decompose(data, rune.Value, characters);
        Order(data, characters);
        Join(data, characters);
        var composed = new StringBuilder(characters.Count);
        foreach (var character in characters) composed.Append(new Rune(character));
        return composed.ToString();
    }

    private static void Decompose(CanonicalData data, int character, List<int> output)
    {
        var syllable = character - HangulBase;
        if (syllable is >= 0 and < Leads * Vowels * Tails)
        {
            output.Add(LeadBase + syllable / (Vowels * Tails));
            output.Add(VowelBase + syllable / Tails % Vowels);
            if (syllable % Tails > 0) output.Add(TailBase + syllable % Tails);
        }
        else if (data.TryDecompose(character, out var first, out var second))
        {
            Decompose(data, first, output);
            if (second != 0) Decompose(data, second, output);
        }
        else output.Add(character);
    }

    /// <summary>Sorts every run of combining characters by class; equal classes keep their order.</summary>
    private static void Order(CanonicalData data, List<int> characters)
    {
        for (var start = 0; start < characters.Count; start++)
        {
            if (data.ClassOf(characters[start]) == 0) continue;
            var end = start;
            while (end < characters.Count && data.ClassOf(characters[end]) != 0) end++;
            var run = characters.GetRange(start, end - start).OrderBy(c => data.ClassOf(c)).ToArray();
            for (var i = 0; i < run.Length; i++) characters[start + i] = run[i];
            start = end;
        }
    }

    /// <summary>Joins each character to the last starter before it, unless one of its own class or higher stands between.</summary>
    private static void Join(CanonicalData data, List<int> characters)
    {
        int written = 0, starter = -1, lastClass = 0;
        foreach (var character in characters.ToArray())
        {
            int combiningClass = data.ClassOf(character);
            var isBlocked = written > starter + 1 && (lastClass == 0 || lastClass >= combiningClass);
            if (starter >= 0 && !isBlocked && TryJoin(data, characters[starter], character, out var joined))
            {
                characters[starter] = joined;
                continue;
            }
            if (combiningClass == 0) starter = written;
            lastClass = combiningClass;
            characters[written++] = character;
        }
        characters.RemoveRange(written, characters.Count - written);
    }

    private static bool TryJoin(CanonicalData data, int first, int second, out int joined)
    {
        var (lead, vowel, syllable, tail) = (first - LeadBase, second - VowelBase, first - HangulBase, second - TailBase);
        joined = HangulBase + (lead * Vowels + vowel) * Tails;
        if (lead is >= 0 and < Leads && vowel is >= 0 and < Vowels) return true;
        joined = first + tail;
        if (syllable is >= 0 and < Leads * Vowels * Tails && syllable % Tails == 0 && tail is > 0 and < Tails) return true;
        return data.TryCompose(first, second, out joined);
    }
}
