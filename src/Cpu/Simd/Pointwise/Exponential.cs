using System.Runtime.CompilerServices;

namespace LServe.Cpu;

/// <summary>
/// 2ˣ: the integral part goes into the exponent, the fraction in −½ … ½ into the Taylor polynomial of degree 7, whose own error is
/// 5·10⁻⁹; with rounding the relative error stays below 2·10⁻⁷. 2⁰ is exactly 1; below −126 the result is exactly 0; above 127 it stays at 2¹²⁷.
/// </summary>
internal static class Exponential<L, F>
    where L : ILanes<F>
    where F : struct
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F PowerOfTwo(F x)
    {
        var bounded = L.SelectBelow(x, L.Fill(127), x, L.Fill(127));
        bounded = L.Max(bounded, L.Fill(-126));
        var whole = L.Round(bounded);
        var f = L.Subtract(bounded, whole);
        var p = L.Fill(1.5252734e-5f);
        p = L.MultiplyAdd(p, f, L.Fill(1.5403530e-4f));
        p = L.MultiplyAdd(p, f, L.Fill(1.3333558e-3f));
        p = L.MultiplyAdd(p, f, L.Fill(9.6181291e-3f));
        p = L.MultiplyAdd(p, f, L.Fill(5.5504109e-2f));
        p = L.MultiplyAdd(p, f, L.Fill(2.4022651e-1f));
        p = L.MultiplyAdd(p, f, L.Fill(6.9314718e-1f));
        p = L.MultiplyAdd(p, f, L.Fill(1));
        return L.SelectBelow(x, L.Fill(-126), L.Fill(0), L.Multiply(p, L.PowerOfTwo(whole)));
    }
}
