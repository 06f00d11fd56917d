using LServe.Model;

namespace LServe.Cpu;

/// <summary>x = table[token].</summary>
internal static class ReferenceEmbed
{
    public static void Row(HostMatrix table, int token, Span<float> x)
    {
        var (part, row) = table.Locate(token);
        TensorFormat.Dequantise(part.Type, part.Row(row), x);
    }
}
